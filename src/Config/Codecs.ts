/** Codecs for the fields of sections: sizes, durations, ports and secrets. */
import * as EffectByteSize from "effect/ByteSize"
import * as EffectDuration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as SchemaIssue from "effect/SchemaIssue"
import { expected } from "./Expected.ts"

const invalid = (message: string): SchemaIssue.Issue => new SchemaIssue.InvalidValue({ message })

const input = Schema.Union([Schema.Finite, Schema.String])

const byteSizeWords = 'a size such as "8 MiB", "500 kB" or a whole number of bytes'

const parseBytes = (value: number | string): number | undefined => {
  if (typeof value === "number") {
    return Number.isSafeInteger(value) && value >= 0 ? value : undefined
  }
  const size = EffectByteSize.fromString(value)
  return Option.isSome(size)
    ? Option.getOrUndefined(EffectByteSize.toNumber(size.value))
    : undefined
}

/**
 * A size, decoded to a number of bytes. Takes a whole number of bytes or a string with a unit:
 * decimal (`kB`, `MB`, `GB`) or binary (`KiB`, `MiB`, `GiB`). Negative sizes, fractions of a byte
 * and sizes above 2^53 - 1 are refused.
 *
 * @example
 * ```ts
 * import * as Schema from "effect/Schema"
 * import * as Config from "flange/Config"
 *
 * Schema.decodeSync(Config.ByteSize)("8 MiB") // => 8388608
 * ```
 */
export const ByteSize: Schema.Codec<number, number | string> = input
  .pipe(
    Schema.decodeTo(Schema.Number, {
      decode: SchemaGetter.transformEffect((value: number | string) => {
        const bytes = parseBytes(value)
        return bytes === undefined
          ? Effect.fail(invalid(`not ${byteSizeWords}`))
          : Effect.succeed(bytes)
      }),
      encode: SchemaGetter.transform((bytes: number): number | string => bytes)
    })
  )
  .pipe(expected(byteSizeWords))

const durationWords = 'a duration such as "5 seconds", "75s" or a number of milliseconds'

const units: Readonly<Record<string, number>> = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  min: 60_000,
  ms: 1,
  s: 1_000,
  w: 604_800_000
}

const parseDuration = (value: number | string): EffectDuration.Duration | undefined => {
  if (typeof value === "number") return value >= 0 ? EffectDuration.millis(value) : undefined
  const short = /^(\d+(?:\.\d+)?) ?(ms|s|min|[mhdw])$/.exec(value.trim())
  if (short !== null)
    return EffectDuration.millis(Number(short[1]) * (units[short[2] ?? ""] ?? NaN))
  // Checks without a cast whether the string is a `Duration.Input`.
  const decoded = Schema.decodeUnknownOption(Schema.DurationFromString)(value.trim())
  return Option.isSome(decoded) && !EffectDuration.isNegative(decoded.value)
    ? decoded.value
    : undefined
}

/**
 * A length of time, decoded to an Effect `Duration`. Takes a number of milliseconds, a short form
 * (`500ms`, `75s` or `75 s`, `5m` or `5 min`, `2h`, `1d`, `1w`) or the form of Effect
 * (`"5 seconds"`, `"Infinity"`). Negative durations are refused.
 *
 * @example
 * ```ts
 * import * as Duration from "effect/Duration"
 * import * as Schema from "effect/Schema"
 * import * as Config from "flange/Config"
 *
 * Duration.toMillis(Schema.decodeSync(Config.Duration)("75s")) // => 75000
 * ```
 */
export const Duration: Schema.Codec<EffectDuration.Duration, number | string> = input
  .pipe(
    Schema.decodeTo(Schema.Duration, {
      decode: SchemaGetter.transformEffect((value: number | string) => {
        const duration = parseDuration(value)
        return duration === undefined
          ? Effect.fail(invalid(`not ${durationWords}`))
          : Effect.succeed(duration)
      }),
      encode: SchemaGetter.transform((duration: EffectDuration.Duration): number | string =>
        EffectDuration.isFinite(duration) ? EffectDuration.toMillis(duration) : "Infinity"
      )
    })
  )
  .pipe(expected(durationWords))

/**
 * A TCP port: an integer from 0 to 65535. For port 0 the operating system chooses a free port.
 *
 * @example
 * ```ts
 * import * as Schema from "effect/Schema"
 * import * as Config from "flange/Config"
 *
 * Schema.decodeSync(Config.Port)(8080) // => 8080
 * ```
 */
export const Port: Schema.Codec<number> = Schema.Int.check(
  Schema.isBetween({ maximum: 65_535, minimum: 0 })
).pipe(expected("a port, an integer from 0 to 65535"))

/**
 * A secret string, decoded to a `Redacted`. Its value never appears in errors, warnings,
 * explanations or logs. Code that needs the value reads it with `Redacted.value`.
 *
 * Any schema made with `Schema.Redacted` or `Schema.RedactedFromValue` is treated the same way.
 *
 * @example
 * ```ts
 * import * as Schema from "effect/Schema"
 * import * as Config from "flange/Config"
 *
 * String(Schema.decodeSync(Config.Secret)("hunter2")) // => "<redacted>"
 * ```
 */
export const Secret: Schema.Codec<Redacted.Redacted<string>, string> = Schema.RedactedFromValue(
  Schema.String
)

/**
 * Sets the default of a field: its value if no source sets one. Write the default as in a file; the
 * field's schema decodes it.
 *
 * @example
 * ```ts
 * import * as NodeServices from "@effect/platform-node/NodeServices"
 * import * as Duration from "effect/Duration"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import * as Config from "flange/Config"
 *
 * const MailConfig = Config.section("mail", {
 *   secure: Schema.Boolean.pipe(Config.withDefault(true)),
 *   timeout: Config.Duration.pipe(Config.withDefault("5 seconds"))
 * })
 *
 * const program = Effect.gen(function*() {
 *   const { context } = yield* Config.load({ sections: [MailConfig], values: {} })
 *   const mail = yield* Effect.provide(MailConfig, context)
 *   return [mail.secure, Duration.toSeconds(mail.timeout)]
 * })
 *
 * await Effect.runPromise(Effect.provide(program, NodeServices.layer)) // => [true, 5]
 * ```
 */
export const withDefault = <S extends Schema.Constraint>(
  value: S["Encoded"]
): ((self: S) => Schema.withDecodingDefaultKey<S>) =>
  Schema.withDecodingDefaultKey<S>(Effect.succeed(value))
