/** The options of a queue, checked when it is declared. */
import * as Duration from "effect/Duration"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as DurationInput from "../../Plugin/DurationInput.ts"
import * as Shown from "../../Plugin/Shown.ts"
import type { Migrations } from "./Envelope.ts"
import * as Names from "./Names.ts"

/** How many items are begun in a time. */
export interface RateLimit {
  /** A whole number from 1. */
  readonly limit: number
  /** The time in which at most `limit` items are begun. */
  readonly per: Duration.Input
}

/** The options of `Queue.make`. */
export interface Options<Payload, Success, Error> {
  /** How many items one process handles at the same time. A whole number from 1 to 1000. Default: 10. */
  readonly concurrency?: number | undefined
  /** The schema of the errors of the handler: dead letters then have the encoded error. */
  readonly error?: Schema.Codec<Error, unknown> | undefined
  /** The attempts after which an item is dead. A whole number from 1 to 1000. Default: 10. */
  readonly maxAttempts?: number | undefined
  /**
   * Turns payloads of earlier versions into that of the next version, by their version. Payloads are JSON values
   * here. There is one for each version from the first that can still be stored to the one before `version`.
   * Items of versions before them become dead letters.
   */
  readonly migrate?: Migrations | undefined
  /** The schema of the payload. It is stored as JSON. */
  readonly payload: Schema.Codec<Payload, unknown>
  /** Limits how many items one process begins in a time. Default: no limit. */
  readonly rateLimit?: RateLimit | undefined
  /**
   * The delays between attempts. Its input is the number of the attempt. Default: 1 s, doubled with each
   * attempt up to 5 minutes, with a jitter of a fifth.
   */
  readonly retry?: Schedule.Schedule<unknown, number> | undefined
  /**
   * The schema of the result of the handler. The results of completed items are then kept. An attempt with a result
   * above `queue.maxPayload` fails.
   */
  readonly success?: Schema.Codec<Success, unknown> | undefined
  /** The longest time of one attempt, after which it is interrupted and fails. Default: 5 minutes. */
  readonly timeout?: Duration.Input | undefined
  /** The version of the payload. A whole number from 1. Default: 1. */
  readonly version?: number | undefined
}

/** The options of a queue, with their defaults. */
export interface Settings {
  readonly concurrency: number
  readonly maxAttempts: number
  readonly migrate: Migrations
  readonly rateLimit: { readonly limit: number; readonly per: number } | undefined
  readonly retry: Schedule.Schedule<unknown, number>
  readonly timeout: Duration.Duration
  readonly version: number
}

const defaultRetry = Schedule.jittered(
  Schedule.min([Schedule.exponential("1 second"), Schedule.spaced("5 minutes")])
)

/** Throws if an option is wrong. A program without types may have any value. */
const fit = (name: string, option: string, value: unknown, isFit: boolean, remedy: string) => {
  if (isFit) return
  throw new Error(`The ${option} of the queue "${name}" is ${Shown.of(value)}: write ${remedy}.`)
}

const whole = (name: string, option: string, value: number, maximum: number): number => {
  const isFit = Number.isInteger(value) && value >= 1 && value <= maximum
  fit(name, option, value, isFit, `a whole number from 1 to ${maximum}`)
  return value
}

const millis = (name: string, option: string, input: Duration.Input): number => {
  const found = DurationInput.millis(input)
  const isFit = Number.isFinite(found) && found >= 1
  fit(name, option, input, isFit, 'a duration of at least a millisecond, such as "30 seconds"')
  return found
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null

/** Checks the options of a queue. Throws an error that names the first one that is wrong. */
export const check = <Payload, Success, Error_>(
  name: string,
  options: Options<Payload, Success, Error_>
): Settings => {
  const problem = Names.queueProblem(name)
  if (problem !== undefined) throw new Error(problem)
  fit(
    name,
    "second argument",
    options,
    isObject(options),
    "the options, such as { payload: Schema.String }"
  )
  const { concurrency = 10, maxAttempts = 10, migrate = {}, rateLimit, version = 1 } = options
  const { retry = defaultRetry } = options
  for (const option of ["payload", "success", "error"] as const) {
    const schema = options[option]
    if (schema === undefined && option !== "payload") continue
    const hint = schema === undefined ? ". It is undefined here if its module imports this one" : ""
    fit(name, option, schema, Schema.isSchema(schema), `a schema${hint}`)
  }
  fit(
    name,
    "migrate",
    migrate,
    isObject(migrate),
    "an object with a function for each earlier version"
  )
  fit(
    name,
    "rateLimit",
    rateLimit,
    rateLimit === undefined || isObject(rateLimit),
    'a limit such as { limit: 10, per: "1 second" }'
  )
  fit(
    name,
    "retry",
    retry,
    Schedule.isSchedule(retry),
    'a schedule such as Schedule.spaced("1 second")'
  )
  whole(name, "version", version, Number.MAX_SAFE_INTEGER)
  for (const key of Object.keys(migrate)) {
    const from = Number(key)
    if (Number.isInteger(from) && from >= 1 && from < version) {
      const step: unknown = migrate[from]
      fit(name, `migration of version ${from}`, step, typeof step === "function", "a function")
      continue
    }
    throw new Error(
      `The queue "${name}" has a migration of version ${Shown.of(key)}, and its version is ${version}: write migrations of earlier versions only.`
    )
  }
  const first = Math.min(version - 1, ...Object.keys(migrate).map(Number))
  for (let from = Math.max(1, first); from < version; from++) {
    if (migrate[from] !== undefined) continue
    throw new Error(
      `The queue "${name}" has version ${version} and no migration of version ${from}, so items of that version could not be handled: write \`migrate: { ${from}: (payload) => ... }\`, which returns the payload of version ${from + 1}.`
    )
  }
  return {
    concurrency: whole(name, "concurrency", concurrency, 1000),
    maxAttempts: whole(name, "maxAttempts", maxAttempts, 1000),
    migrate,
    rateLimit:
      rateLimit === undefined
        ? undefined
        : {
            limit: whole(name, "rateLimit.limit", rateLimit.limit, 1_000_000),
            per: millis(name, "rateLimit.per", rateLimit.per)
          },
    retry,
    timeout: Duration.millis(millis(name, "timeout", options.timeout ?? "5 minutes")),
    version
  }
}
