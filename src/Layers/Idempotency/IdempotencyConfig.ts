/** The configuration section `idempotency`. */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as Config from "../../Config/index.ts"
import { maxTtl } from "./Contract.ts"

const words = 'a duration from "1 second" to "3660 days"'

/** Returns a duration that every store can add to its time, with its default. */
const span = (text: string) =>
  Config.Duration.check(
    Schema.makeFilter(
      (time) => Duration.between(time, { maximum: maxTtl, minimum: Duration.seconds(1) }),
      { expected: words }
    )
  ).pipe(Config.expected(words), Config.withDefault(text))

/**
 * Section `idempotency`.
 *
 * | key | default | meaning |
 * |---|---|---|
 * | `backend` | that of the plugin | where keys are kept: in the `database`, in `memory`, which every plugin has, or in `redis`; variable `IDEMPOTENCY_BACKEND` |
 * | `lease` | 30 s | how long the key of a process that was killed stays in use; a running request renews its lease |
 * | `maxBytes` | 1 MiB | the largest reply that is kept, as it is stored: bytes that are not text take a third more |
 * | `maxMemory` | 64 MiB | the bytes of the replies that the backend `memory` keeps; above it, the oldest are dropped |
 * | `onOutage` | `closed` | what happens to requests with a key while the backend does not work: `closed` answers 503, `open` carries them out without protection |
 * | `prefix` | the id of the app | a part of every key: apps with the same prefix and the same backend share their keys |
 * | `ttl` | 1 day | how long a reply is kept if the annotation has no `ttl`; variable `IDEMPOTENCY_TTL` |
 */
export const IdempotencyConfig = Config.section(
  "idempotency",
  {
    backend: Schema.optionalKey(Schema.Literals(["database", "memory", "redis"])),
    lease: span("30 seconds"),
    maxBytes: Config.ByteSize.check(Schema.isGreaterThanOrEqualTo(2 ** 10)).pipe(
      Config.expected('a size of at least "1 KiB"'),
      Config.withDefault("1 MiB")
    ),
    maxMemory: Config.ByteSize.check(Schema.isGreaterThanOrEqualTo(2 ** 20)).pipe(
      Config.expected('a size of at least "1 MiB"'),
      Config.withDefault("64 MiB")
    ),
    onOutage: Schema.Literals(["closed", "open"]).pipe(Config.withDefault("closed")),
    prefix: Schema.optionalKey(
      Schema.String.check(
        Schema.isPattern(/^[A-Za-z0-9_.:-]{1,64}$/, {
          expected: "1 to 64 letters, digits, _, -, . and :"
        })
      )
    ),
    ttl: span("1 day")
  },
  { variables: { IDEMPOTENCY_BACKEND: "backend", IDEMPOTENCY_TTL: "ttl" } }
)

/** The values of the section. */
export type Settings = (typeof IdempotencyConfig)["Service"]

/** Where keys are kept. */
export type Backend = NonNullable<Settings["backend"]>
