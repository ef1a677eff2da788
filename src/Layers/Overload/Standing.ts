/**
 * Tells a burst from overload, as CoDel does: a queue that empties again is a burst, a queue in
 * which every request waits is overload.
 */

/** The shortest target, in milliseconds: a pause of the garbage collector is no overload. */
const shortest = 2

/** How long every request has to wait longer than the target, in milliseconds. */
const interval = 100

/** The load below which no overload is left, as a multiple of what the app can bear. */
const bearable = 0.95

/** Decides whether an app is overloaded, from the time that requests have waited. */
export class Standing {
  isOverloaded = false
  /** Requests that are admitted in a millisecond, as the last interval has measured it. */
  rate = 0
  #aboveSince: number | undefined
  #admitted = 0
  #idle = 0
  #refused = 0
  #since = 0

  /** Returns how long a request may wait if the app is overloaded, for a mean time of requests. */
  static readonly target = (mean: number): number => Math.max(shortest, 1.8 * mean)

  /**
   * Records that a request was admitted after it had waited. `wasIdle` is whether the app had nothing to
   * do when it came.
   */
  admitted(waited: number, target: number, now: number, wasIdle = false): void {
    this.#admitted++
    if (wasIdle) this.#idle++
    if (this.isOverloaded) return this.#review(target, now)
    if (waited <= target) {
      this.#aboveSince = undefined
      return
    }
    if (this.#aboveSince === undefined) {
      this.#aboveSince = now
      this.#begin(now)
    } else if (now - this.#aboveSince >= Math.max(interval, 4 * target)) {
      this.rate = this.#admitted / (now - this.#aboveSince)
      this.isOverloaded = true
      this.#begin(now)
    }
  }

  /** Records that a request was refused. */
  refused(target: number, now: number): void {
    this.#refused++
    if (this.isOverloaded) this.#review(target, now)
  }

  /**
   * Ends the overload if the load is bearable. The share of requests that find an idle app is the share
   * of time in which it is idle. So the load, in multiples of what the app can bear, is the number of
   * requests that did not find it idle, divided by the number that it has admitted.
   */
  #review(target: number, now: number): void {
    const elapsed = now - this.#since
    const span = 10 * Math.max(interval, 4 * target)
    if (elapsed < span) return
    this.rate = this.#admitted / elapsed
    const load = (this.#admitted + this.#refused - this.#idle) / this.#admitted
    // Twice the span without a review: few requests came.
    if (elapsed > 2 * span || load < bearable) {
      this.isOverloaded = false
      this.#aboveSince = undefined
    }
    this.#begin(now)
  }

  #begin(now: number): void {
    this.#admitted = this.#idle = this.#refused = 0
    this.#since = now
  }
}
