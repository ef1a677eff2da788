/** Jobs: effects that run when they are due. A plugin contributes them. */
import * as Context from "effect/Context"
import * as Cron from "effect/Cron"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Contribution from "../../Plugin/Contribution.ts"
import * as DurationInput from "../../Plugin/DurationInput.ts"
import * as Shown from "../../Plugin/Shown.ts"
import type { Schedule } from "./DueTimes.ts"
import { Jobs } from "./Jobs.ts"

/** The options of a job. */
export interface Options {
  /**
   * The longest random delay of a run. The run counts as running during the delay. It has to be below the interval
   * of `every`. Default: none.
   */
  readonly jitter?: Duration.Input | undefined
  /**
   * What happens to due times that passed while no process could start them, such as during a deployment
   * or an outage of the database. A due time counts as missed after five seconds.
   *
   * - `once`, the default: the last of them runs
   * - `all`: all run, one after the other as they were due, at most the newest `missedLimit`
   * - `none`: they do not run
   */
  readonly missed?: "all" | "none" | "once" | undefined
  /** How many missed due times `all` runs at most. Default: 100. At most 10 000. */
  readonly missedLimit?: number | undefined
  /**
   * What happens if a run is due while another one of the job runs in any process.
   *
   * - `skip`, the default: it is left out, and the history says so
   * - `queue`: it starts after the other one
   * - `cancel`: the other one is interrupted, at once in this process and within two seconds in another
   */
  readonly overlap?: "cancel" | "queue" | "skip" | undefined
  /** The longest time of a run, after which it is interrupted and has failed. Default: none. */
  readonly timeout?: Duration.Input | undefined
  /**
   * Whether the effect and the record that it has ended commit in one transaction. The SQL work of a due time
   * is then done exactly once, even if the process is killed. Needs `Jobs.withCluster`. Default: false.
   */
  readonly transaction?: boolean | undefined
}

/** The options of a job with a cron expression. */
export interface CronOptions extends Options {
  /** The IANA name of the time zone, such as `Europe/Berlin`. Default: `UTC`. */
  readonly timezone?: string | undefined
}

/** A job as data. */
export interface Description {
  readonly jitter: number
  readonly missed: "all" | "none" | "once"
  readonly missedLimit: number
  readonly overlap: "cancel" | "queue" | "skip"
  /** Why it cannot run, and what to write; undefined if it can. */
  readonly problem: string | undefined
  readonly schedule: Schedule
  readonly timeout: number | undefined
  readonly transaction: boolean
}

/** The kind of jobs: `AppRuntime.contributions(Job.kind)` returns them. */
export const kind = Contribution.kind<Description, Effect.Effect<unknown, unknown>>()("job")

/** A job in the list `contributes` of a plugin, whose effect uses the services `R`. */
export type Job<R> = Contribution.Open<
  "job",
  Description,
  Effect.Effect<unknown, unknown>,
  never,
  Jobs | R,
  Jobs
>

/** The longest interval, in milliseconds: each due time is a date that can be written. */
const longest = 315_360_000_000

const isName = (name: unknown): boolean =>
  typeof name === "string" && /^[A-Za-z0-9][A-Za-z0-9:._-]{0,99}$/.test(name)

const make = <E, R>(
  name: string,
  schedule: Schedule,
  effect: Effect.Effect<unknown, E, R>,
  options: Options,
  wrong: string | undefined
): Job<R> => {
  const { missed = "once", missedLimit = 100, overlap = "skip" } = options
  const jitter = options.jitter === undefined ? 0 : DurationInput.millis(options.jitter)
  const timeout = options.timeout === undefined ? undefined : DurationInput.millis(options.timeout)
  const unfit = (option: string, value: unknown, remedy: string) =>
    `its ${option} is ${Shown.of(value)}: write ${remedy}.`
  // Texts are written for the first problem only: the text of an effect may be long.
  const problem = (): string | undefined => {
    if (!isName(name)) {
      return `its name has to be 1 to 100 letters, digits, and : . _ - after the first: write a name such as "orders:expire".`
    }
    if (wrong !== undefined) return wrong
    if (!Effect.isEffect(effect)) return unfit("effect", effect, "an Effect")
    if (!Number.isFinite(jitter) || jitter < 0) {
      return unfit("jitter", options.jitter, 'a duration such as "5 seconds"')
    }
    if (schedule.type === "every" && jitter >= schedule.millis) {
      return unfit("jitter", options.jitter, `a duration below its interval, "${schedule.text}"`)
    }
    if (timeout !== undefined && !(timeout > 0)) {
      return unfit("timeout", options.timeout, 'a duration such as "5 minutes"')
    }
    if (!["all", "none", "once"].includes(missed)) {
      return unfit("missed", missed, '"all", "none" or "once"')
    }
    if (!["cancel", "queue", "skip"].includes(overlap)) {
      return unfit("overlap", overlap, '"cancel", "queue" or "skip"')
    }
    return Number.isSafeInteger(missedLimit) && missedLimit >= 1 && missedLimit <= 10_000
      ? undefined
      : unfit("missedLimit", missedLimit, "a whole number from 1 to 10000")
  }
  return Contribution.open(
    kind.name,
    name,
    {
      jitter,
      missed,
      missedLimit,
      overlap,
      problem: problem(),
      schedule,
      timeout: timeout === Number.POSITIVE_INFINITY ? undefined : timeout,
      transaction: options.transaction ?? false
    },
    (services: Context.Context<Jobs | R>) =>
      Effect.succeed(
        // The services of the plugin, under those of the fiber that runs the job.
        Effect.updateContext(
          effect,
          (own: Context.Context<never>) => Context.merge(services, own) as Context.Context<R> // `services` has all of `R`
        )
      ),
    [Jobs]
  )
}

/**
 * Creates a job that is due at each multiple of an interval since 1970-01-01T00:00:00Z. For `"60 seconds"`
 * that is each full minute. All processes agree on these times, and a restart changes none.
 *
 * An interval that is shorter than 100 milliseconds or longer than 3650 days is a problem of the assemble phase.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { App, Plugin } from "flange"
 * import * as Jobs from "flange/Jobs"
 *
 * const Orders = Plugin.make("app:orders", {
 *   contributes: [Jobs.Job.every("orders:expire", "60 seconds", Effect.logInfo("none expired"))]
 * })
 * const [, orders] = App.describe(App.make("shop", [Jobs.plugin, Orders])).plugins
 * orders?.contributions.map(({ kind, name }) => `${kind} ${name}`) // => ["job orders:expire"]
 * ```
 */
export const every = <E, R>(
  name: string,
  interval: Duration.Input,
  effect: Effect.Effect<unknown, E, R>,
  options: Options = {}
): Job<R> => {
  const millis = DurationInput.millis(interval)
  const isFit = millis >= 100 && millis <= longest
  const text = isFit ? Duration.format(Duration.millis(millis)) : Shown.of(interval)
  return make(
    name,
    { millis, text: `every ${text}`, type: "every" },
    effect,
    options,
    isFit
      ? undefined
      : `its interval is ${text}: write a duration from "100 millis" to "3650 days", such as "60 seconds".`
  )
}

/** The offsets of time zones that places have, in hours. */
const offsets = { from: -12, to: 14 }

const isTimeZone = (name: unknown): boolean => {
  const zone =
    typeof name === "string" ? Option.getOrUndefined(DateTime.zoneFromString(name)) : undefined
  if (zone?._tag !== "Offset") return zone !== undefined
  const hours = zone.offset / 3_600_000
  return hours >= offsets.from && hours <= offsets.to
}

/**
 * Creates a job that is due as a cron expression says: five fields for minute, hour, day, month and weekday,
 * or six with the second first.
 *
 * An hour that a change of the clock leaves out runs its due times right after it, and an hour that it
 * repeats runs them in its first pass only. An expression or a time zone that is not valid is a problem of the
 * assemble phase.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Jobs from "flange/Jobs"
 *
 * const report = Jobs.Job.cron("report", "0 6 * * 1", Effect.logInfo("Monday, six o'clock"), {
 *   timezone: "Europe/Berlin"
 * })
 * report.data.schedule.text // => "0 6 * * 1 Europe/Berlin"
 * ```
 */
export const cron = <E, R>(
  name: string,
  expression: string,
  effect: Effect.Effect<unknown, E, R>,
  options: CronOptions = {}
): Job<R> => {
  const { timezone = "UTC" } = options
  const refuse = (problem: string): Job<R> =>
    make(
      name,
      { millis: Number.NaN, text: Shown.of(expression), type: "every" },
      effect,
      options,
      problem
    )
  const five = `write five fields, minute hour day month weekday, such as "0 6 * * 1".`
  // A variable that is not set, in a program that no compiler has checked.
  if (typeof expression !== "string") {
    return refuse(`its cron expression is ${Shown.of(expression)}: ${five}`)
  }
  // Effect takes offsets of any size.
  const parsed = Cron.parse(expression, isTimeZone(timezone) ? timezone : "")
  if (Result.isFailure(parsed)) {
    return refuse(
      Result.isSuccess(Cron.parse(expression, "UTC"))
        ? `its time zone is ${Shown.of(timezone)}, which does not exist: write an IANA name such as "Europe/Berlin".`
        : `its cron expression is ${Shown.of(expression)} (${parsed.failure.message}): ${five}`
    )
  }
  const text = `${expression} ${timezone}`
  const isEver = Result.isSuccess(Result.try(() => Cron.next(parsed.success, new Date())))
  return make(
    name,
    { cron: parsed.success, text, type: "cron" },
    effect,
    options,
    isEver
      ? undefined
      : `its cron expression "${expression}" names no day that exists: write another day or month.`
  )
}
