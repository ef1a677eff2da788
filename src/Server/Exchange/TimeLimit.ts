/** The limit on the time of one exchange, and what happens when it is exceeded. */
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { TimeSpent } from "../../Plugin/Deadline.ts"

/** The time limits of a route. */
export interface TimeRule {
  /** Called for each request that exceeds a limit, with what it was doing. */
  readonly exceeded: (activity: string) => void
  /** The longest silence of a streamed reply, in milliseconds; `Infinity` for none. */
  readonly idle: number
  /** The longest time of the handler, in milliseconds; `Infinity` for none. */
  readonly limit: number
}

/** What a request did until its time limit. */
export interface Report {
  /** What it was doing at the limit. */
  readonly activity: string
  /** The milliseconds since the request arrived. */
  readonly elapsed: number
  /** The milliseconds of each activity. */
  readonly spent: Readonly<Record<string, number>>
}

/** The exchange that a limit belongs to. */
export interface TimedExchange {
  /** What the exchange does itself: the activity of a request that waits for nothing else. */
  readonly activity: string
  /** Calls a function at a time of `elapsed`. Returns the function that stops it. */
  alarm(at: number, ring: () => void): () => void
  /** Returns milliseconds since the request arrived. */
  elapsed(): number
  /**
   * Sends the reply to a request that exceeded its limit. `cause` is that of its fiber; undefined if the
   * fiber has not ended. Then `settled` is called when it does.
   */
  exceeded(report: Report, cause: Cause.Cause<unknown> | undefined): void
  /** Returns Unix milliseconds. */
  now(): number
  /** The fiber of a request that was answered has ended. */
  settled(exit: Exit.Exit<unknown, unknown>): void
}

/**
 * How long an interrupted fiber has to end before its request is answered, in milliseconds. In this time
 * a transaction that has begun to commit ends, so that its request is answered with its own reply.
 */
export const grace = 250

/** Marks the interruption of a fiber whose request exceeded its limit. */
class Exceeded extends Context.Service<Exceeded, true>()("flange/TimeLimit/Exceeded") {}

const mark = Context.make(Exceeded, true)

const isMarked = (cause: Cause.Cause<unknown>): boolean =>
  cause.reasons.some(
    (reason) => reason._tag === "Interrupt" && reason.annotations.has(Exceeded.key)
  )

/** The limit on the time of one exchange. Its times are milliseconds since the request arrived. */
export class TimeLimit {
  /** When the caller stops waiting. */
  #caller = Infinity
  readonly #exchange: TimedExchange
  /** When the limit of the route ends. */
  #own: number
  /** When the first of the reads began that wait for the client. */
  #pausedAt = 0
  /** How many reads wait for the client. */
  #pauses = 0
  /** When the alarm rings. */
  #next = Infinity
  /** Called when the time is over. Undefined if no fiber is watched. */
  #over: (() => void) | undefined
  #spent: TimeSpent | undefined
  #state: "exceeded" | "idle" | "lifted" | "watching" = "idle"
  #stop: (() => void) | undefined

  constructor(exchange: TimedExchange, limit: number) {
    this.#exchange = exchange
    this.#own = limit
  }

  /** When the reply has to be sent, in Unix milliseconds; undefined without a limit. */
  get deadline(): number | undefined {
    const end = this.#end
    return end === Infinity || this.#state === "lifted"
      ? undefined
      : this.#exchange.now() + end - this.#exchange.elapsed()
  }

  get spent(): TimeSpent {
    return (this.#spent ??= new TimeSpent())
  }

  /** When the time is over, if the body of the request has arrived now. */
  get #end(): number {
    const paused = this.#pauses > 0 ? this.#exchange.elapsed() - this.#pausedAt : 0
    return Math.min(this.#own + paused, this.#caller)
  }

  /** Lifts the limit: the reply is there, or the connection has another protocol. */
  lift(): void {
    this.#state = "lifted"
    this.#over = undefined
    this.#stop?.()
  }

  /** Sets when the caller stops waiting. It can only shorten the time. */
  shorten(end: number): void {
    this.#caller = Math.min(this.#caller, end)
  }

  /** Stops the time of the route while the client sends its body. That of the caller continues. */
  pause(): void {
    if (this.#pauses++ === 0) this.#pausedAt = this.#exchange.elapsed()
  }

  /** Ends one `pause`. */
  resume(): void {
    if (--this.#pauses > 0) return
    this.#own += this.#exchange.elapsed() - this.#pausedAt
    if (this.#over !== undefined && this.#end < this.#next) {
      this.#stop?.()
      this.#await(this.#over)
    }
  }

  /**
   * Interrupts a fiber when the time is over. Returns the function to call with its exit: it calls `done`
   * unless the request has been answered.
   */
  watch<A, E>(
    fiber: Fiber.Fiber<A, E>,
    done: (exit: Exit.Exit<A, E>) => void
  ): (exit: Exit.Exit<A, E>) => void {
    // The fiber outside has the limit.
    if (this.#state !== "idle") return done
    const exchange = this.#exchange
    let report: Report | undefined
    let isAnswered = false
    this.#state = "watching"
    const over = () => {
      const current = this.#report()
      report = current
      this.#over = undefined
      this.#state = "exceeded"
      this.#stop = exchange.alarm(current.elapsed + grace, () => {
        isAnswered = true
        exchange.exceeded(current, undefined)
      })
      fiber.interruptUnsafe(undefined, mark)
    }
    this.#over = over
    this.#await(over)
    return (exit) => {
      this.#stop?.()
      this.#over = undefined
      if (this.#state === "watching") this.#state = "idle"
      if (isAnswered) exchange.settled(exit)
      else if (report !== undefined && exit._tag === "Failure" && isMarked(exit.cause)) {
        exchange.exceeded(report, exit.cause)
      } else done(exit)
    }
  }

  /** Sets the alarm for the end of the time, as far as it is known. */
  #await(over: () => void): void {
    const exchange = this.#exchange
    const end = () => (this.#pauses > 0 ? this.#caller : this.#end)
    this.#next = end()
    this.#stop =
      this.#next === Infinity
        ? undefined
        : exchange.alarm(this.#next, () => {
            if (exchange.elapsed() >= end()) over()
            else this.#await(over)
          })
  }

  #report(): Report {
    const exchange = this.#exchange
    return {
      activity: this.#spent?.current ?? exchange.activity,
      elapsed: exchange.elapsed(),
      spent: this.#spent?.totals(exchange.now()) ?? {}
    }
  }
}
