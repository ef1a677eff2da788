/** The configuration section `queue`. */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as Config from "../../Config/index.ts"

/** Returns a duration within bounds, with its default. */
const span = (text: string, minimum: Duration.Input, from: string) => {
  const words = `a duration from "${from}" to "3660 days"`
  return Config.Duration.check(
    Schema.makeFilter(
      (time) =>
        Duration.between(time, {
          maximum: Duration.days(3660),
          minimum: Duration.fromInputUnsafe(minimum)
        }),
      { expected: words }
    )
  ).pipe(Config.expected(words), Config.withDefault(text))
}

/**
 * Section `queue`.
 *
 * | key | default | meaning |
 * |---|---|---|
 * | `backend` | that of the plugin | where items are kept: in the `database`, in `memory`, which every plugin has, or in `redis`; variable `QUEUE_BACKEND` |
 * | `keepCompleted` | 1 day | how long the ids of completed items stay known |
 * | `keepDead` | 14 days | how long dead letters are kept |
 * | `lease` | 10 s | how long the items of a process that was killed wait for another one; a running handler renews its lease three times in that time |
 * | `maxPayload` | 256 KiB | the largest item, with its envelope, and the largest result that is kept, as JSON |
 * | `maxWait` | 5 min | the health check is degraded while the oldest waiting item is older |
 * | `pollInterval` | 1 s | how often an idle worker looks for items that it was not told of |
 */
export const QueueConfig = Config.section(
  "queue",
  {
    backend: Schema.optionalKey(Schema.Literals(["database", "memory", "redis"])),
    keepCompleted: span("1 day", "1 second", "1 second"),
    keepDead: span("14 days", "1 second", "1 second"),
    lease: span("10 seconds", "1 second", "1 second"),
    maxPayload: Config.ByteSize.check(
      Schema.isBetween({ maximum: 2 ** 26, minimum: 2 ** 10 })
    ).pipe(Config.expected('a size from "1 KiB" to "64 MiB"'), Config.withDefault("256 KiB")),
    maxWait: span("5 minutes", "1 second", "1 second"),
    pollInterval: span("1 second", "10 millis", "10 millis")
  },
  { variables: { QUEUE_BACKEND: "backend" } }
)

/** The values of the section. */
export type Settings = (typeof QueueConfig)["Service"]

/** Where items are kept. */
export type Backend = NonNullable<Settings["backend"]>
