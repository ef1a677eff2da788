/**
 * The time by which a request has to be answered, and what the request spends its time on. Plugins that
 * wait for something read the first and record the second. The battery Timeout sets both.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"

/**
 * The time by which the request of a fiber has to be answered, in Unix milliseconds of Effect's `Clock`.
 * Undefined outside of requests, and in a request without a limit. At that time the fiber is interrupted;
 * what does not stop when its fiber is interrupted, such as work in another process, reads the time here.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Deadline } from "flange"
 *
 * const forOneSecond = Effect.provideService(Deadline.Deadline, Date.now() + 1000)
 * Effect.runSync(forOneSecond(Deadline.remaining))! > 0 // => true
 * ```
 */
export const Deadline: Context.Reference<number | undefined> = Context.Reference<
  number | undefined
>("flange/Deadline", { defaultValue: () => undefined })

/** Returns the milliseconds until the `Deadline` of a fiber, as `remaining` does. */
export const remainingOf = (fiber: Fiber.Fiber<unknown, unknown>): number | undefined => {
  const deadline = fiber.getRef(Deadline)
  return deadline === undefined
    ? undefined
    : Math.max(0, deadline - fiber.getRef(Clock.Clock).currentTimeMillisUnsafe())
}

/**
 * Returns the milliseconds until the `Deadline`, at least 0. Undefined without a deadline.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Deadline } from "flange"
 *
 * Effect.runSync(Effect.provideService(Deadline.remaining, Deadline.Deadline, 0)) // => 0
 * ```
 */
export const remaining: Effect.Effect<number | undefined> = Effect.withFiber((fiber) =>
  Effect.succeed(remainingOf(fiber))
)

/** The times of one activity. */
interface Times {
  /** How many of its runs have not ended. */
  running: number
  /** When the first of them began. */
  since: number
  total: number
}

/** What one request spends its time on. A request may do several things at once. */
export class TimeSpent {
  readonly #activities = new Map<string, Times>()
  /** The activities that have not ended, in the order in which they began. */
  readonly #current: Array<string> = []

  /** Records that an activity begins. Times are Unix milliseconds. */
  begin(activity: string, now: number): void {
    this.#current.push(activity)
    const times = this.#activities.get(activity)
    if (times === undefined) this.#activities.set(activity, { running: 1, since: now, total: 0 })
    else if (times.running++ === 0) times.since = now
  }

  /** Records that an activity ends. */
  end(activity: string, now: number): void {
    const times = this.#activities.get(activity)!
    this.#current.splice(this.#current.lastIndexOf(activity), 1)
    if (--times.running === 0) times.total += now - times.since
  }

  /** Returns the activity that began last and has not ended; undefined if there is none. */
  get current(): string | undefined {
    return this.#current.at(-1)
  }

  /**
   * Returns the milliseconds of each activity until now. Runs at the same time count once. An activity
   * inside another one counts for both.
   */
  totals(now: number): Readonly<Record<string, number>> {
    return Object.fromEntries(
      Array.from(this.#activities, ([activity, { running, since, total }]) => [
        activity,
        running === 0 ? total : total + now - since
      ])
    )
  }
}

/** The record of the request that a fiber serves. Undefined if nobody reads it. */
export const CurrentTimeSpent: Context.Reference<TimeSpent | undefined> = Context.Reference<
  TimeSpent | undefined
>("flange/Deadline/TimeSpent", { defaultValue: () => undefined })

/**
 * Runs an effect as an activity of its request. If the request exceeds its time limit, its reply and the
 * log name the activity. Without a limit it costs one lookup.
 *
 * Use the words that an operator reads: `SQL`, `cache`, `outgoing call`,
 * `waiting for a database connection`. The words are sent to clients, so they contain no names of hosts.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Deadline } from "flange"
 *
 * const spent = new Deadline.TimeSpent()
 * const call = Deadline.during("outgoing call", Effect.sync(() => spent.current))
 * Effect.runSync(Effect.provideService(call, Deadline.CurrentTimeSpent, spent)) // => "outgoing call"
 * ```
 */
export const during = <A, E, R>(
  activity: string,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.withFiber((fiber) => {
    const spent = fiber.getRef(CurrentTimeSpent)
    if (spent === undefined) return effect
    const clock = fiber.getRef(Clock.Clock)
    spent.begin(activity, clock.currentTimeMillisUnsafe())
    return Effect.onExitPrimitive(
      effect,
      () => void spent.end(activity, clock.currentTimeMillisUnsafe())
    )
  })
