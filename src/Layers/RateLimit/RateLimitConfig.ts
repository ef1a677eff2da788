/** The configuration section `rateLimit`. */
import * as Duration from "effect/Duration"
import * as NetAddress from "effect/net/NetAddress"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Config from "../../Config/index.ts"
import * as ClientIp from "../../Server/Exchange/ClientIp.ts"

/** The longest window. */
export const maxWindow = Duration.days(366)

const Count = Schema.Int.check(Schema.isGreaterThan(0))

/** A duration from 1 ms to a maximum. */
const span = (maximum: Duration.Duration, expected: string) =>
  Config.Duration.check(
    Schema.makeFilter((time) => Duration.between(time, { maximum, minimum: Duration.millis(1) }), {
      expected
    })
  )

const keyWords =
  'a key such as "caller:default:ada", "ip:203.0.113.7", "ip:2001:db8:1:2::/64" or "tenant:acme"'

/** Whether a key is one that requests can have. An address of IPv6 is counted by its network. */
const isKey = (key: string): boolean => {
  const [, name, value] = /^([a-z][a-z0-9-]*):(.+)$/s.exec(key) ?? []
  if (name === undefined || name === "address") return false
  if (name === "caller") return /^[^:]+:./s.test(value!)
  if (name !== "ip" || value === "unknown") return true
  const address = value!.replace(/\/64$/, "")
  return Result.isSuccess(NetAddress.ipFromString(address)) && ClientIp.networkOf(address) === value
}

/**
 * Section `rateLimit`.
 *
 * | key | default | meaning |
 * |---|---|---|
 * | `algorithm` | `token-bucket` | how `limit` is counted: `token-bucket`, or `sliding-window` |
 * | `backend` | `memory`, with `RateLimit.withRedis` `redis` | where requests are counted: in the `memory` of the process, or in `redis` for all processes together; variable `RATE_LIMIT_BACKEND` |
 * | `burst` | `limit` | the most requests that a caller may send at once, for `token-bucket`; variable `RATE_LIMIT_BURST_SIZE` |
 * | `enabled` | true | if `false`, no request is limited; variable `RATE_LIMIT_ENABLED` |
 * | `exempt` | none | keys without a limit: `caller:CHAIN:SUBJECT`, `ip:ADDRESS`, `ip:NETWORK/64` for IPv6, or `NAME:KEY` for an extractor |
 * | `limit` | 600 | how many requests a caller may send in `window`; variable `RATE_LIMIT_REQUESTS_PER_MINUTE` |
 * | `maxKeys` | 100000 | how many counts are kept in memory; above it, those without a request for the longest time are dropped |
 * | `onOutage` | `open` | what happens to requests while Redis does not decide: `open` lets them pass, `closed` answers 503 |
 * | `timeout` | 250 ms | how long a request waits for the decision of Redis |
 * | `window` | 1 min | the time in which `limit` requests are allowed |
 */
export const RateLimitConfig = Config.section(
  "rateLimit",
  {
    algorithm: Schema.Literals(["sliding-window", "token-bucket"]).pipe(
      Config.withDefault("token-bucket")
    ),
    backend: Schema.optionalKey(Schema.Literals(["memory", "redis"])),
    burst: Schema.optionalKey(Count),
    enabled: Schema.Boolean.pipe(Config.withDefault(true)),
    exempt: Schema.Array(
      Schema.String.check(Schema.makeFilter(isKey, { expected: keyWords })).pipe(
        Config.expected(keyWords)
      )
    ).pipe(Config.withDefault([])),
    limit: Count.pipe(Config.withDefault(600)),
    maxKeys: Schema.Int.check(Schema.isGreaterThanOrEqualTo(2)).pipe(Config.withDefault(100_000)),
    onOutage: Schema.Literals(["closed", "open"]).pipe(Config.withDefault("open")),
    timeout: span(Duration.minutes(1), "a duration from 1ms to 1m").pipe(
      Config.withDefault("250 millis")
    ),
    window: span(maxWindow, 'a duration from 1ms to 366 days, such as "1 minute"').pipe(
      Config.withDefault("1 minute")
    )
  },
  {
    check: ({ algorithm, burst }) =>
      algorithm === "sliding-window" && burst !== undefined
        ? [
            {
              expected: "no burst",
              key: "burst",
              reason: "a sliding window has no burst: remove the key, or choose token-bucket"
            }
          ]
        : [],
    variables: {
      RATE_LIMIT_BACKEND: "backend",
      RATE_LIMIT_BURST_SIZE: "burst",
      RATE_LIMIT_ENABLED: "enabled",
      RATE_LIMIT_REQUESTS_PER_MINUTE: "limit"
    }
  }
)
