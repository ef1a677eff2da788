/** The configuration section `sse`. */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as Config from "../../Config/index.ts"

/** Returns a duration within bounds, with its default. */
const span = (text: string, minimum: Duration.Input, maximum: Duration.Input) => {
  const bounds = {
    maximum: Duration.fromInputUnsafe(maximum),
    minimum: Duration.fromInputUnsafe(minimum)
  }
  const expected = `a duration from "${Duration.format(bounds.minimum)}" to "${Duration.format(bounds.maximum)}"`
  return Config.Duration.check(
    Schema.makeFilter((time) => Duration.between(time, bounds), { expected })
  ).pipe(Config.expected(expected), Config.withDefault(text))
}

const size = (text: string, minimum: number, expected: string) =>
  Config.ByteSize.check(Schema.isGreaterThanOrEqualTo(minimum)).pipe(
    Config.expected(expected),
    Config.withDefault(text)
  )

/**
 * Section `sse`.
 *
 * | key | default | meaning |
 * |---|---|---|
 * | `backend` | that of the plugin | where events are kept: in the `database`, in `memory`, which every plugin has, or in `redis`; variable `SSE_BACKEND` |
 * | `heartbeat` | 15 s | how often a silent stream sends a line that clients ignore; below the idle timeout of each proxy |
 * | `maxAge` | 1 hour | how long an event is kept |
 * | `maxBuffer` | 256 KiB | how many bytes may wait for a client before its stream is cut |
 * | `maxDuration` | 1 hour | how long a stream lasts before its client has to connect again, with its credentials |
 * | `maxEvents` | 10000 | how many events of a topic are kept; the database may keep a tenth more |
 * | `maxMemory` | 64 MiB | the bytes of all events that the backend `memory` keeps; above it, the oldest are dropped |
 * | `maxSize` | 64 KiB | the longest data of an event |
 * | `pollInterval` | 500 ms | how often the database is asked for events; PostgreSQL tells of them itself |
 * | `retry` | 2 s | how long a client waits, on average, before it connects again after the drain or `maxDuration` |
 */
export const SseConfig = Config.section(
  "sse",
  {
    backend: Schema.optionalKey(Schema.Literals(["database", "memory", "redis"])),
    heartbeat: span("15 seconds", "1 second", "10 minutes"),
    maxAge: span("1 hour", "1 second", "365 days"),
    maxBuffer: size("256 KiB", 2 ** 12, 'a size of at least "4 KiB"'),
    maxDuration: span("1 hour", "1 second", "365 days"),
    maxEvents: Schema.Int.check(Schema.isBetween({ maximum: 10_000_000, minimum: 1 })).pipe(
      Config.expected("a whole number from 1 to 10000000"),
      Config.withDefault(10_000)
    ),
    maxMemory: size("64 MiB", 2 ** 20, 'a size of at least "1 MiB"'),
    maxSize: size("64 KiB", 2 ** 8, 'a size of at least "256 B"'),
    pollInterval: span("500 millis", "10 millis", "1 minute"),
    retry: span("2 seconds", "0 millis", "10 minutes")
  },
  { variables: { SSE_BACKEND: "backend" } }
)

/** The values of the section. */
export type Settings = (typeof SseConfig)["Service"]

/** Where events are kept. */
export type Backend = NonNullable<Settings["backend"]>
