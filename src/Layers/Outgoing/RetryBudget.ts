/** The bound of the retries to one upstream: a share of its calls. */

/** A retry, in parts that a share of it is a whole number of. */
const retry = 1000

/** The retries that an upstream without calls has. */
const reserve = 10 * retry

/** The most retries that calls without failures save up. */
const most = 100 * retry

/**
 * The budget of retries. Each call adds its share, and each retry takes 1. So in an outage, retries add
 * no more than this share to the load of the upstream.
 */
export class RetryBudget {
  #left: number
  readonly #share: number

  /** With the share 0 there are no retries. */
  constructor(share: number) {
    this.#share = Math.round(share * retry)
    this.#left = share === 0 ? 0 : reserve
  }

  /** Adds the share of a call. */
  add(): void {
    this.#left = Math.min(most, this.#left + this.#share)
  }

  /** Takes a retry. Returns false if the budget has none left. */
  take(): boolean {
    if (this.#left < retry) return false
    this.#left -= retry
    return true
  }
}
