/** The configuration section `broadcast`. */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as Config from "../../Config/index.ts"

const words = 'a duration from "1 second" to "1 day"'

const span = (text: string) =>
  Config.Duration.check(
    Schema.makeFilter(
      (time) => Duration.between(time, { maximum: Duration.days(1), minimum: Duration.seconds(1) }),
      { expected: words }
    )
  ).pipe(Config.expected(words), Config.withDefault(text))

const fields = {
  backend: Schema.optionalKey(Schema.Literals(["database", "memory", "redis"])),
  heartbeat: span("10 seconds"),
  lease: span("30 seconds"),
  maxSize: Config.ByteSize.check(Schema.isBetween({ maximum: 2 ** 24, minimum: 2 ** 10 })).pipe(
    Config.expected('a size from "1 KiB" to "16 MiB"'),
    Config.withDefault("64 KiB")
  ),
  prefix: Schema.optionalKey(
    Schema.String.check(
      Schema.isPattern(/^[A-Za-z0-9_.:-]{1,64}$/, {
        expected: "1 to 64 letters, digits, _, -, . and :"
      })
    )
  )
}

/**
 * Section `broadcast`.
 *
 * | key | default | meaning |
 * |---|---|---|
 * | `backend` | that of the plugin | what connects replicas: the `database`, `redis`, or `memory` for one process, which every plugin has; variable `BROADCAST_BACKEND` |
 * | `heartbeat` | 10 s | how often a process renews the lease of its members |
 * | `lease` | 30 s | how long the members of a process that was killed are still listed; at least twice the heartbeat |
 * | `maxSize` | 64 KiB | the largest message, as JSON |
 * | `prefix` | the id of the app, with Redis `redis.prefix` | apps with the same prefix and the same backend share their topics and members |
 */
export const BroadcastConfig = Config.section("broadcast", Schema.Struct(fields), {
  check: ({ heartbeat, lease }) => {
    const least = Duration.times(heartbeat, 2)
    return Duration.isGreaterThanOrEqualTo(lease, least)
      ? []
      : [
          {
            expected: `a duration of at least "${Duration.format(least)}"`,
            key: "lease",
            reason: `it is less than twice broadcast.heartbeat, which is ${Duration.format(heartbeat)}`
          }
        ]
  },
  variables: { BROADCAST_BACKEND: "backend" }
})

/** The values of the section. */
export type Settings = Schema.Struct<typeof fields>["Type"]

/** What connects replicas. */
export type Backend = NonNullable<Settings["backend"]>
