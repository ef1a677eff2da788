/** The configuration section `logging`. */
import type { LogLevel } from "effect/LogLevel"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as Config from "../../Config/index.ts"

const levels = ["trace", "debug", "info", "warn", "error", "fatal", "none"] as const

/** The names of the levels, the most talkative first; `none` logs nothing. */
export type Level = (typeof levels)[number]

/** The schema of a level's name, in any case. */
export const Level = Schema.String.pipe(
  Schema.decodeTo(Schema.Literals(levels), {
    decode: SchemaGetter.transform((name: string) => name.trim().toLowerCase() as Level),
    encode: SchemaGetter.transform((level: Level): string => level)
  }),
  Config.expected(`one of ${levels.join(", ")}`)
)

const effectLevels = {
  debug: "Debug",
  error: "Error",
  fatal: "Fatal",
  info: "Info",
  none: "None",
  trace: "Trace",
  warn: "Warn"
} as const satisfies Record<Level, LogLevel>

/** Effect's name of a level. */
export const toEffect = (level: Level): LogLevel => effectLevels[level]

const FieldName = Schema.String.check(
  Schema.isPattern(/[\p{L}\p{N}]/u, { expected: "the name of a field, such as iban" })
)

/** Checks for a path template, with or without a method before it. */
export const isRoute = (name: string): boolean => /^(?:[A-Z]+ )?(?:\/\S*|\*)$/.test(name)

const Levels = Schema.Record(Schema.String, Level)

/**
 * Section `logging`.
 *
 * | key | default | meaning |
 * |---|---|---|
 * | `buffer` | `8 MiB` | the most bytes of lines that wait for a reader |
 * | `file` | none | the file that the log is appended to, instead of stdout. `SIGUSR2` opens it again |
 * | `format` | `auto` | `json` writes one JSON object per line, `pretty` is for people; `auto` is `pretty` in the environment `local` and `json` elsewhere |
 * | `full` | `drop` | what happens to a line if `buffer` is full: `drop` loses and counts it, `block` stops the process until the reader has read |
 * | `level` | `info` | the least severe level that is logged: `trace`, `debug`, `info`, `warn`, `error`, `fatal` or `none`, in any case; variable `LOG_LEVEL` |
 * | `levels.identities` | none | levels beside `level` of callers, by their subjects |
 * | `levels.modules` | none | levels of plugins by their ids and of modules by their names, with `*` for all; `app` is for `app:items` too |
 * | `levels.routes` | none | levels of routes, by path templates such as `/v1/items/:id` or `GET /v1/items/:id` |
 * | `redact` | none | names of fields that the log hides besides [the usual ones](logging.md#what-is-never-shown-and-what-is-cut); case and separators do not count |
 * | `security` | none | where security events are written too: `stdout`, `stderr`, or the path of a file. They are in the log in any case |
 *
 * Access lines are of level `info`.
 */
export const LoggingConfig = Config.section(
  "logging",
  {
    buffer: Config.ByteSize.pipe(Config.withDefault("8 MiB")),
    file: Schema.optionalKey(Schema.NonEmptyString),
    format: Schema.Literals(["auto", "json", "pretty"]).pipe(Config.withDefault("auto")),
    full: Schema.Literals(["block", "drop"]).pipe(Config.withDefault("drop")),
    level: Level.pipe(Config.withDefault("info")),
    levels: Schema.Struct({
      identities: Schema.optionalKey(Levels),
      modules: Schema.optionalKey(Levels),
      routes: Schema.optionalKey(Levels)
    }).pipe(Config.withDefault({})),
    redact: Schema.Array(FieldName).pipe(Config.withDefault([])),
    security: Schema.optionalKey(Schema.NonEmptyString)
  },
  {
    check: ({ file, levels, security }) => [
      ...(file !== undefined && file === security
        ? [
            {
              expected: "another file, or none",
              key: "security",
              reason: "logging.file is the same file, and has security events already"
            }
          ]
        : []),
      ...Object.keys(levels.routes ?? {})
        .filter((name) => !isRoute(name))
        .map((name) => ({
          expected: 'a path template as its key, such as "/v1/items/:id" or "GET /v1/items/:id"',
          key: "levels.routes",
          reason: `"${name}" is not a route`
        }))
    ],
    variables: { LOG_LEVEL: "level" }
  }
)
