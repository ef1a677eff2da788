/** Broadcast and presence as plugins, one for each backend. */
import { createHash } from "node:crypto"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redis from "effect/persistence/Redis"
import type * as Scope from "effect/Scope"
import { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { AppRuntime } from "../../Plugin/AppRuntime.ts"
import * as Plugin from "../../Plugin/Plugin.ts"
import { SharedRedis } from "../../Plugin/SharedRedis.ts"
import * as SqlListen from "../../Plugin/SqlListen.ts"
import * as Broadcast from "./Broadcast.ts"
import { type Bus, inProcess } from "./BroadcastBus.ts"
import * as BroadcastBusPostgres from "./BroadcastBusPostgres.ts"
import * as BroadcastBusRedis from "./BroadcastBusRedis.ts"
import { type Backend, BroadcastConfig, type Settings } from "./BroadcastConfig.ts"
import { BroadcastBackendError } from "./BroadcastErrors.ts"
import * as BroadcastHub from "./BroadcastHub.ts"
import * as Presence from "./Presence.ts"
import { inMemory, type Store } from "./PresenceStore.ts"
import * as PresenceStoreRedis from "./PresenceStoreRedis.ts"
import * as PresenceStoreSql from "./PresenceStoreSql.ts"

/** What connects the replicas of an app. */
export interface Parts {
  readonly bus: Bus
  readonly store: Store
}

/** The messages that presence sends are no longer than this, whatever `maxSize` is. */
const minimumSize = 2 ** 16

/** Opens Redis. */
export const redisParts = (redis: BroadcastBusRedis.RedisServices, prefix: string): Parts => ({
  bus: BroadcastBusRedis.make(redis, `${prefix}broadcast`),
  store: PresenceStoreRedis.make(redis.redis, `${prefix}presence`)
})

const withoutNotifications = new BroadcastBackendError({
  message:
    "MySQL and MariaDB have no notifications between processes. List Redis.plugin and Realtime.broadcastWithRedis in the place of Realtime.broadcastWithDatabase."
})

const withoutConnection = new BroadcastBackendError({
  message:
    "Realtime.broadcastWithDatabase holds a connection of the pool, and database.maxConnections is 1. Raise it to 2 at least."
})

/** Returns the channel of PostgreSQL. Its name has at most 63 bytes, and a prefix may have more. */
export const channelOf = (prefix: string): string =>
  `flange_${createHash("sha256").update(prefix).digest("hex").slice(0, 40)}`

/** Opens the database. */
export const databaseParts = (
  sql: SqlClient,
  prefix: string,
  maxSize: number
): Effect.Effect<Parts, BroadcastBackendError | SqlError, Scope.Scope> =>
  Effect.gen(function* () {
    if (sql.onDialectOrElse({ mysql: () => true, orElse: () => false })) {
      return yield* withoutNotifications
    }
    if (SqlListen.hasNotifications(sql) && !SqlListen.canListen(sql)) {
      return yield* withoutConnection
    }
    const store = PresenceStoreSql.make(sql, prefix)
    yield* store.createTables
    const bus = SqlListen.canListen(sql)
      ? yield* BroadcastBusPostgres.make(sql, {
          channel: channelOf(prefix),
          maxSize: Math.max(maxSize, minimumSize)
        })
      : inProcess()
    return { bus, store }
  })

/** Makes the services of one process. */
export const services = (
  { bus, store }: Parts,
  { heartbeat, lease, maxSize }: Pick<Settings, "heartbeat" | "lease" | "maxSize">
) =>
  Effect.gen(function* () {
    const hub = yield* BroadcastHub.make(bus)
    const presence = yield* Presence.make(hub, store, {
      heartbeat: Duration.toMillis(heartbeat),
      lease: Duration.toMillis(lease)
    })
    const runtime = yield* Effect.serviceOption(AppRuntime)
    return Context.make(Broadcast.Broadcast, Broadcast.make(hub, maxSize, runtime)).pipe(
      Context.add(Presence.Presence, presence)
    )
  })

const missing = (plugin: string, backend: Exclude<Backend, "memory">) => {
  const [needed, other] =
    backend === "redis"
      ? ["Redis.plugin", "broadcastWithRedis"]
      : ["Database.plugin", "broadcastWithDatabase"]
  return new BroadcastBackendError({
    message: `broadcast.backend is "${backend}", and ${plugin} does not have it. List ${needed} and Realtime.${other} in its place, or choose "memory".`
  })
}

/** Returns the services of a plugin. `open` opens its own backend. */
const layerOf = <E, R>(
  plugin: string,
  own: Backend,
  open: (settings: Settings) => Effect.Effect<Parts, E, R>
) =>
  Layer.effectContext(
    Effect.gen(function* () {
      const settings = yield* BroadcastConfig
      const { backend = own } = settings
      if (backend !== own && backend !== "memory") return yield* missing(plugin, backend)
      const parts =
        backend === "memory" ? { bus: inProcess(), store: inMemory() } : yield* open(settings)
      return yield* services(parts, settings)
    })
  )

const shared = {
  config: [BroadcastConfig],
  provides: [Broadcast.Broadcast, Presence.Presence]
} as const

/**
 * Provides `Broadcast` and `Presence` in one process. For several replicas list `broadcastWithRedis` or
 * `broadcastWithDatabase` in its place.
 *
 * - config: section `broadcast`
 * - metrics: `flange.broadcast.published`, `received`, `subscribers`, `dropped`, `gaps` and `undecodable`,
 *   and `flange.presence.members`
 * - fails with `BroadcastBackendError` in its acquire phase if it does not have `broadcast.backend`
 *
 * @example
 * ```ts
 * import { App } from "flange"
 * import * as Realtime from "flange/Realtime"
 *
 * const app = App.make("chat", [Realtime.broadcast])
 * App.describe(app).plugins[0]!.config // => ["broadcast"]
 * ```
 */
export const broadcast = Plugin.make("flange:broadcast", {
  ...shared,
  layer: layerOf("Realtime.broadcast", "memory", () =>
    Effect.succeed({ bus: inProcess(), store: inMemory() })
  )
})

/**
 * Connects replicas through the database of the app, which is PostgreSQL: messages are notifications, and
 * one connection of the pool listens. What a transaction publishes is sent with its commit, so a committed
 * transaction loses no message, even if the process is killed. PGlite has one process, and its messages stay
 * in it. MySQL and MariaDB have no notifications: the plugin fails there, and with `database.maxConnections` of 1.
 *
 * It creates the tables `flange_presence` and `flange_presence_nodes` if they are not there. A pooler that
 * changes connections between transactions, such as PgBouncer in transaction mode, does not pass
 * notifications on. PostgreSQL commits transactions that notify one after another, so for thousands of
 * messages per second use Redis.
 *
 * @example
 * ```ts
 * import { App } from "flange"
 * import * as Database from "flange/Database"
 * import * as Realtime from "flange/Realtime"
 *
 * const app = App.make("chat", [Database.plugin, Realtime.broadcastWithDatabase])
 * App.describe(app).plugins.map(({ id }) => id) // => ["flange:database", "flange:broadcast"]
 * ```
 */
export const broadcastWithDatabase = Plugin.make("flange:broadcast", {
  ...shared,
  layer: layerOf("Realtime.broadcastWithDatabase", "database", ({ maxSize, prefix }) =>
    Effect.gen(function* () {
      const { id } = yield* AppRuntime
      return yield* databaseParts(yield* SqlClient, prefix ?? id, maxSize)
    })
  ),
  requires: [SqlClient]
})

/**
 * Connects replicas through Redis or Valkey. List it together with `Redis.plugin`. What a transaction of the
 * database publishes is sent after the commit: a process that is killed between the two does not send it.
 *
 * @example
 * ```ts
 * import { App } from "flange"
 * import * as Realtime from "flange/Realtime"
 * import * as Redis from "flange/Redis"
 *
 * const app = App.make("chat", [Realtime.broadcastWithRedis, Redis.plugin])
 * App.describe(app).plugins.map(({ id }) => id) // => ["flange:redis", "flange:broadcast"]
 * ```
 */
export const broadcastWithRedis = Plugin.make("flange:broadcast", {
  ...shared,
  layer: layerOf("Realtime.broadcastWithRedis", "redis", ({ prefix }) =>
    Effect.map(Effect.all({ redis: Redis.Redis, shared: SharedRedis }), (redis) =>
      redisParts(redis, prefix === undefined ? redis.shared.prefix : `${prefix}:`)
    )
  ),
  requires: [Redis.Redis, SharedRedis]
})
