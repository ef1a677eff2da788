/** The plugin `flange:redis`. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redis from "effect/persistence/Redis"
import * as Doctor from "../../Plugin/Doctor.ts"
import * as HealthCheck from "../../Plugin/HealthCheck.ts"
import * as Plugin from "../../Plugin/Plugin.ts"
import { SharedRedis } from "../../Plugin/SharedRedis.ts"
import { connect } from "./Connect.ts"
import { defaultsFor, RedisConfig } from "./RedisConfig.ts"

/**
 * Provides the services of the section `redis`: `Redis` of `effect/persistence/Redis` and `SharedRedis`.
 * Closing the scope closes every connection.
 */
export const layer = Layer.effectContext(Effect.flatMap(RedisConfig, connect))

const ping = Redis.Redis.use((redis) => redis.send("PING"))

/**
 * Provides Redis or Valkey: `Redis` of `effect/persistence/Redis` for commands, scripts and reserved
 * connections, and `SharedRedis` for subscriptions and the prefix of keys. All plugins share one
 * connection for commands and one for subscriptions.
 *
 * - config: section `redis`
 * - health: `redis`, shared
 * - checks of `flange doctor`: eviction, role and version of the server
 * - fails with `RedisUnreachable` or `RedisClientMissing` in its acquire phase
 *
 * Commands never wait for a server that is away. They fail with a `RedisError` whose cause is a
 * `RedisUnavailable`: at once without a connection, and otherwise after `redis.commandTimeout`. What
 * happens then is decided by the caller. The connection comes back by itself.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { App, Plugin } from "flange"
 * import * as Redis from "flange/Redis"
 *
 * const Visits = Plugin.make("app:visits", {
 *   ready: () => Redis.Redis.use((redis) => Effect.ignore(redis.send("INCR", "shop:starts"))),
 *   requires: [Redis.Redis]
 * })
 *
 * const app = App.make("shop", [Redis.plugin, Visits])
 * App.describe(app).plugins.map(({ id }) => id) // => ["flange:redis", "app:visits"]
 * ```
 */
export const plugin = Plugin.make("flange:redis", {
  config: [RedisConfig],
  contributes: [
    Doctor.make("redis", {
      load: () => import("./RedisDoctor.ts"),
      // The doctor does not wait long for a server that is away.
      overrides: { redis: { connectTimeout: "3 seconds" } }
    })
  ],
  defaults: defaultsFor,
  health: { redis: HealthCheck.make(ping) },
  layer,
  provides: [Redis.Redis, SharedRedis]
})
