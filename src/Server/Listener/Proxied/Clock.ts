/** One timer for all connections of a listener, in place of several for each request. */

/** A coarse monotonic clock that calls back at every tick. */
export class Clock {
  /** Milliseconds at the last tick. */
  now = performance.now()
  readonly #onTick: (now: number) => void
  /** Milliseconds between two ticks. */
  step = 0
  #timer: NodeJS.Timeout | undefined

  constructor(step: number, onTick: (now: number) => void) {
    this.#onTick = onTick
    this.every(step)
  }

  /** Ticks at another pace from now on. */
  every(step: number): void {
    clearInterval(this.#timer)
    this.now = performance.now()
    this.step = step
    this.#timer = setInterval(() => {
      this.now = performance.now()
      this.#onTick(this.now)
    }, step).unref()
  }

  /** Whether `limit` milliseconds have passed for certain since a reading of `now`. */
  hasPassed(limit: number, since: number): boolean {
    return this.now - since >= limit + this.step
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
