/** The configuration section `cache`. */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as Config from "../../Config/index.ts"

/** Returns a duration that is finite and above zero, with its default. */
const span = (text: string) =>
  Config.Duration.check(
    Schema.makeFilter((time) => Duration.isFinite(time) && Duration.toMillis(time) > 0, {
      expected: 'a duration above zero, such as "1 minute"'
    })
  ).pipe(Config.withDefault(text))

const Server = Schema.String.check(
  Schema.isPattern(/^(?:memcaches?:\/\/)?(?:\[[0-9A-Fa-f:.]+\]|[^\s:/@]+)(?::\d{1,5})?$/)
).pipe(Config.expected('a server such as "127.0.0.1:11211"'))

/**
 * Section `cache`.
 *
 * | key | default | meaning |
 * |---|---|---|
 * | `backend` | `memory`, with `Cache.withRedis` `redis` | where values are kept: `memory`, `memcached`, `redis`, or `tiers` for memory in front of Redis; variable `CACHE_BACKEND` |
 * | `defaultTtl` | 5 min | how long a value is fresh if its options have no `ttl`; variable `CACHE_DEFAULT_TTL` |
 * | `maxMemory` | 128 MiB | the bytes of `memory` and of the memory of `tiers`; variable `CACHE_MAX_MEMORY` |
 * | `memcached` | `127.0.0.1:11211` | the servers of `memcached`: `HOST:PORT`; variable `MEMCACHED_SERVERS` |
 * | `memoryTtl` | 10 s | the longest time for which the memory of `tiers` keeps a value, and so the longest time for which a replica that missed an invalidation uses an old one |
 * | `namespace` | the id of the app, or `redis.prefix`, and `cache` | the beginning of every key. Apps with the same namespace share their values |
 * | `singleFlight` | true | whether callers in one process who miss the same key wait for one load |
 * | `timeout` | 250 ms | how long a request waits for the backend before it goes on without it |
 */
export const CacheConfig = Config.section(
  "cache",
  {
    backend: Schema.optionalKey(Schema.Literals(["memcached", "memory", "redis", "tiers"])),
    defaultTtl: span("5 minutes"),
    maxMemory: Config.ByteSize.check(Schema.isGreaterThanOrEqualTo(2 ** 20)).pipe(
      Config.expected('a size of at least "1 MiB"'),
      Config.withDefault("128 MiB")
    ),
    memcached: Schema.Array(Server)
      .check(Schema.isMinLength(1))
      .pipe(Config.withDefault(["127.0.0.1:11211"])),
    memoryTtl: span("10 seconds"),
    namespace: Schema.optionalKey(
      Schema.String.check(
        Schema.isPattern(/^[A-Za-z0-9_.-]{1,64}$/, {
          expected: "1 to 64 letters, digits, _, - and ."
        })
      )
    ),
    singleFlight: Schema.Boolean.pipe(Config.withDefault(true)),
    timeout: span("250 millis")
  },
  {
    variables: {
      CACHE_BACKEND: "backend",
      CACHE_DEFAULT_TTL: "defaultTtl",
      CACHE_MAX_MEMORY: "maxMemory",
      MEMCACHED_SERVERS: "memcached"
    }
  }
)

/** The name of a backend. */
export type Backend = NonNullable<(typeof CacheConfig)["Service"]["backend"]>
