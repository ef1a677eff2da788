/** The configuration section `rateLimit`. */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as Config from "../../Config/index.ts"

const Count = Schema.Int.check(Schema.isGreaterThan(0))

const windowWords = 'a duration above zero, such as "1 minute"'

const keyWords = 'a key such as "caller:default:ada" or "ip:203.0.113.7"'

/**
 * Section `rateLimit`.
 *
 * | key | default | meaning |
 * |---|---|---|
 * | `burst` | `limit` | the most requests that a caller may send at once; variable `RATE_LIMIT_BURST_SIZE` |
 * | `enabled` | true | if `false`, no request is limited; variable `RATE_LIMIT_ENABLED` |
 * | `exempt` | none | keys without a limit: `caller:CHAIN:SUBJECT`, `ip:ADDRESS`, or `ip:NETWORK/64` for IPv6 |
 * | `limit` | 600 | how many requests a caller may send in `window`; variable `RATE_LIMIT_REQUESTS_PER_MINUTE` |
 * | `maxKeys` | 100000 | how many callers are remembered; above it, those without a request for the longest time are dropped |
 * | `window` | 1 min | the time in which `limit` requests are allowed |
 */
export const RateLimitConfig = Config.section(
  "rateLimit",
  {
    burst: Schema.optionalKey(Count),
    enabled: Schema.Boolean.pipe(Config.withDefault(true)),
    exempt: Schema.Array(
      Schema.String.check(Schema.isPattern(/^(?:caller:[^:]+:|ip:)./, { expected: keyWords })).pipe(
        Config.expected(keyWords)
      )
    ).pipe(Config.withDefault([])),
    limit: Count.pipe(Config.withDefault(600)),
    maxKeys: Schema.Int.check(Schema.isGreaterThanOrEqualTo(2)).pipe(Config.withDefault(100_000)),
    window: Config.Duration.check(
      Schema.makeFilter((window) => Duration.isFinite(window) && Duration.toMillis(window) > 0, {
        expected: windowWords
      })
    ).pipe(Config.withDefault("1 minute"))
  },
  {
    variables: {
      RATE_LIMIT_BURST_SIZE: "burst",
      RATE_LIMIT_ENABLED: "enabled",
      RATE_LIMIT_REQUESTS_PER_MINUTE: "limit"
    }
  }
)
