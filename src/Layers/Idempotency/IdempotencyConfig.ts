/** The configuration section `idempotency`. */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as Config from "../../Config/index.ts"

/** Returns a duration of at least one second, with its default. */
const span = (text: string) =>
  Config.Duration.check(
    Schema.makeFilter((time) => Duration.isFinite(time) && Duration.toMillis(time) >= 1000, {
      expected: 'a duration of at least "1 second"'
    })
  ).pipe(Config.withDefault(text))

/**
 * Section `idempotency`.
 *
 * | key | default | meaning |
 * |---|---|---|
 * | `lease` | 30 s | how long the key of a process that was killed stays in use; a running request renews its lease |
 * | `maxBytes` | 1 MiB | the largest reply that is kept, as it is stored: bytes that are not text take a third more |
 * | `maxMemory` | 64 MiB | the bytes of the store `memory`; above it, the oldest replies are dropped |
 * | `onStoreFailure` | `closed` | what a request with a key meets if the store does not work: `closed` for 503, `open` to carry it out without protection |
 * | `prefix` | the id of the app | a part of every key: apps with the same prefix and the same store share their keys |
 * | `store` | that of the plugin | where keys are kept: `database`, `memory` or `redis`. The plugin has the services of its own store, and `memory`; variable `IDEMPOTENCY_STORE` |
 * | `ttl` | 1 day | how long a reply is kept if the annotation has no `ttl`; variable `IDEMPOTENCY_TTL` |
 */
export const IdempotencyConfig = Config.section(
  "idempotency",
  {
    lease: span("30 seconds"),
    maxBytes: Config.ByteSize.check(Schema.isGreaterThanOrEqualTo(2 ** 10)).pipe(
      Config.expected('a size of at least "1 KiB"'),
      Config.withDefault("1 MiB")
    ),
    maxMemory: Config.ByteSize.check(Schema.isGreaterThanOrEqualTo(2 ** 20)).pipe(
      Config.expected('a size of at least "1 MiB"'),
      Config.withDefault("64 MiB")
    ),
    onStoreFailure: Schema.Literals(["closed", "open"]).pipe(Config.withDefault("closed")),
    prefix: Schema.optionalKey(
      Schema.String.check(
        Schema.isPattern(/^[A-Za-z0-9_.:-]{1,64}$/, {
          expected: "1 to 64 letters, digits, _, -, . and :"
        })
      )
    ),
    store: Schema.optionalKey(Schema.Literals(["database", "memory", "redis"])),
    ttl: span("1 day")
  },
  { variables: { IDEMPOTENCY_STORE: "store", IDEMPOTENCY_TTL: "ttl" } }
)

/** The values of the section. */
export type Settings = (typeof IdempotencyConfig)["Service"]

/** The name of a store. */
export type StoreName = NonNullable<Settings["store"]>
