/** An event loop in virtual time, with a gate in front of its handlers. */
import { Concurrency, RouteLatency } from "../../../src/Layers/Overload/Concurrency.ts"
import type { Priority } from "../../../src/Layers/Overload/Contract.ts"
import { Gate } from "../../../src/Layers/Overload/Gate.ts"
import { type Reason, Waiting } from "../../../src/Layers/Overload/Waiting.ts"

/** What the loop spends on a request besides its handler, and on a turn, in milliseconds. */
const costs = { parse: 0.05, refuse: 0.03, turn: 0.01 }

export interface Request {
  readonly at: number
  latency?: number
  outcome?: Reason | "served"
  readonly priority: Priority
}

interface Event {
  readonly at: number
  readonly run: () => void
}

/** Runs requests through a gate. Times are in milliseconds. */
export class Loop {
  readonly concurrency: Concurrency
  readonly gate: Gate
  now = 0
  readonly requests: Array<Request> = []
  #deferred: Array<() => void> = []
  /** What is to come, by time. Those before `#at` have run. */
  readonly #events: Array<Event> = []
  #at = 0
  readonly #latency = new RouteLatency()

  constructor(options: { max?: number; maxQueue?: number; maxWait?: number; min?: number } = {}) {
    const { max = 1000, maxQueue = 1000, maxWait = 1000, min = 8 } = options
    this.concurrency = new Concurrency(min, max)
    this.gate = new Gate({
      concurrency: this.concurrency,
      defer: (then) => this.#deferred.push(then),
      maxQueue,
      maxWait,
      now: () => this.now
    })
  }

  /** Runs `run` at a time, or at once if the loop is busy then. */
  at(at: number, run: () => void): void {
    let index = this.#events.length
    while (index > this.#at && this.#events[index - 1]!.at > at) index--
    this.#events.splice(index, 0, { at, run })
  }

  /** Lets requests come from `from` to `to`, so many in a second. */
  arrive(
    from: number,
    to: number,
    rate: number,
    serve: (request: Request, done: () => void) => void,
    options: { priority?: Priority; random?: () => number } = {}
  ): void {
    const { priority = "normal", random } = options
    const interval = 1000 / rate
    const next = (at: number) => {
      if (at >= to) return
      this.at(at, () => {
        const request: Request = { at, priority }
        this.requests.push(request)
        next(at + (random === undefined ? interval : -Math.log(1 - random()) * interval))
        this.enter(request, serve)
      })
    }
    next(from)
  }

  /** A handler that computes. */
  computes(millis: number): (request: Request, done: () => void) => void {
    return (_, done) => {
      this.now += millis
      done()
    }
  }

  /** A handler that waits for something else. */
  waits(millis: () => number): (request: Request, done: () => void) => void {
    return (_, done) => this.at(this.now + millis(), done)
  }

  enter(request: Request, serve: (request: Request, done: () => void) => void): void {
    const { concurrency, gate } = this
    this.now += costs.parse
    const refuse = (reason: Reason) => {
      this.now += costs.refuse
      request.outcome = reason
    }
    const admit = () => {
      const flight = concurrency.begin(this.#latency, this.now)
      serve(request, () => {
        concurrency.end(flight, this.now, true)
        gate.advance()
        request.latency = this.now - request.at
        request.outcome = "served"
      })
    }
    if (gate.isFull(request.priority)) {
      gate.refuse()
      refuse("queue_full")
    } else if (gate.tryEnter()) admit()
    else {
      const waiting = new Waiting((refused) => (refused === undefined ? admit() : refuse(refused)))
      gate.wait(waiting, request.priority)
    }
  }

  /** Runs the loop until a time. */
  run(until: number): void {
    while (this.now < until) {
      // The loop sleeps until something comes, 5 ms at most: then requests that wait too long are refused.
      const next = this.#events[this.#at]?.at ?? Infinity
      if (this.#deferred.length === 0 && next > this.now) this.now = Math.min(next, this.now + 5)
      const { now } = this
      for (let next = this.#events[this.#at]; next !== undefined && next.at <= now;) {
        this.#at++
        next.run()
        next = this.#events[this.#at]
      }
      const deferred = this.#deferred
      this.#deferred = []
      for (const then of deferred) then()
      if (deferred.length === 0) this.gate.sweep()
      this.now += costs.turn
    }
  }

  /** Sums up the requests that came in a time. */
  summary(from: number, to: number, priority?: Priority) {
    const all = this.requests.filter(
      (request) =>
        request.at >= from &&
        request.at < to &&
        (priority === undefined || request.priority === priority)
    )
    const latencies = all.flatMap(({ latency }) => latency ?? []).sort((a, b) => a - b)
    return {
      arrived: all.length,
      p99: latencies[Math.floor((latencies.length - 1) * 0.99)] ?? Infinity,
      rate: (latencies.length * 1000) / (to - from),
      refused: all.filter(({ outcome }) => outcome !== "served" && outcome !== undefined).length
    }
  }
}

/** Returns numbers from 0 to 1 that are the same in each run. */
export const seeded = (seed: number) => (): number => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
  return seed / 2 ** 32
}
