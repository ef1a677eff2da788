/**
 * The limit of requests in flight. It follows the gradient of latency: the time that requests take
 * now, compared with the time that they take if few run.
 */

/** The shortest time between two changes of the limit, in milliseconds. */
const window = 100

/** The fewest requests on which a change is based. */
const fewest = 10

/** How many times as long as usual requests may take before the limit falls. */
const tolerance = 2

/** Latencies below this, in milliseconds, count as equal. */
const noticeable = 1

/** The limit before anything is measured. */
const initial = 100

/** The latency of a route, in milliseconds. */
export class RouteLatency {
  /** The mean while few requests run. */
  usual = 0
  /** How many requests the mean is of, up to 20. */
  samples = 0

  learn(took: number): void {
    if (this.samples < 20) this.samples++
    this.usual += (took - this.usual) / this.samples
  }
}

/** A request in flight. */
export interface Flight {
  readonly isCalm: boolean
  readonly latency: RouteLatency
  readonly since: number
}

/** The limit, and the requests that count against it. */
export class Concurrency {
  inFlight = 0
  readonly #max: number
  readonly #min: number
  #count = 0
  #expected = 0
  #peak = 0
  #since = 0
  #took = 0
  #value: number
  /** The mean time of a request over all routes, in milliseconds. */
  mean = 0

  constructor(min: number, max: number) {
    this.#max = max
    this.#min = min
    this.#value = Math.min(max, Math.max(min, initial))
  }

  get isReached(): boolean {
    return this.inFlight >= this.limit
  }

  /** A whole number, `minConcurrency` at least. */
  get limit(): number {
    return Math.floor(this.#value)
  }

  /** Counts a request as in flight. */
  begin(latency: RouteLatency, now: number): Flight {
    this.inFlight++
    if (this.inFlight > this.#peak) this.#peak = this.inFlight
    return { isCalm: this.#isCalm, latency, since: now }
  }

  /** Counts a request as ended. `isMeasured` is whether its duration tells how loaded the app is. */
  end({ isCalm, latency, since }: Flight, now: number, isMeasured: boolean): void {
    const isCalmStill = isCalm && this.#isCalm
    this.inFlight--
    if (!isMeasured) return
    const took = Math.max(0, now - since)
    if (isCalmStill || latency.samples === 0) latency.learn(took)
    const usual = Math.max(noticeable, latency.usual)
    // One request that hangs must not decide.
    const counted = Math.min(took, 10 * usual)
    this.mean += (counted - this.mean) / 50
    this.#took += Math.max(noticeable, counted)
    this.#expected += usual
    this.#count++
    if (this.#count >= fewest && now - this.#since >= window) this.#adapt(now)
  }

  /** Whether so few requests are in flight that each takes as long as it takes without load. */
  get #isCalm(): boolean {
    return this.inFlight <= Math.max(this.#min, this.#value / 10)
  }

  #adapt(now: number): void {
    const gradient = Math.min(1, Math.max(0.5, (tolerance * this.#expected) / this.#took))
    // Without this, the limit of an idle app would grow to the maximum, and mean nothing.
    const isUsed = this.#peak >= this.#value / 2
    if (gradient < 1 || isUsed) {
      const next = this.#value * gradient + Math.sqrt(this.#value)
      this.#value += (next - this.#value) / 5
      this.#value = Math.min(this.#max, Math.max(this.#min, this.#value))
    }
    this.#count = this.#expected = this.#took = 0
    this.#peak = this.inFlight
    this.#since = now
  }
}
