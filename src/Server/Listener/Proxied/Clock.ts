/** One timer for all connections of a listener, instead of several timers for each request. */

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
    this.setStep(step)
  }

  /** Changes the interval of the ticks. */
  setStep(step: number): void {
    clearInterval(this.#timer)
    this.now = performance.now()
    this.step = step
    this.#timer = setInterval(() => {
      this.now = performance.now()
      this.#onTick(this.now)
    }, step).unref()
  }

  /**
   * Whether at least `limit` milliseconds have passed since a reading of `now`, which may
   * have been one step old.
   */
  hasPassed(limit: number, since: number): boolean {
    return this.now - since >= limit + this.step
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
