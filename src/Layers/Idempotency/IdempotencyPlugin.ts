/** The battery as plugins, one for each backend. */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redis from "effect/persistence/Redis"
import { SqlClient } from "effect/sql/SqlClient"
import * as HealthCheck from "../../Plugin/HealthCheck.ts"
import * as Metering from "../../Plugin/Metering.ts"
import * as Plugin from "../../Plugin/Plugin.ts"
import * as PluginCheck from "../../Plugin/PluginCheck.ts"
import * as Pruning from "../../Plugin/Pruning.ts"
import { SharedRedis } from "../../Plugin/SharedRedis.ts"
import * as Worker from "../../Plugin/Worker.ts"
import * as ContractMiddleware from "../../Server/Route/ContractMiddleware.ts"
import { IdempotencyErrors } from "./Contract.ts"
import { annotate } from "./DocumentedKeys.ts"
import { type Backend, IdempotencyConfig } from "./IdempotencyConfig.ts"
import { KeyStore, type Store } from "./KeyStore.ts"
import { MemoryStore } from "./MemoryStore.ts"
import * as RedisStore from "./RedisStore.ts"
import * as Repeats from "./Repeats.ts"
import * as RouteCheck from "./RouteCheck.ts"
import * as SqlStore from "./SqlStore.ts"

/** The plugin does not have the backend that the configuration chooses. */
export class IdempotencyBackendError extends Data.TaggedError("IdempotencyBackendError")<{
  readonly message: string
}> {}

const missing = (plugin: string, backend: Exclude<Backend, "memory">) => {
  const [needed, other] =
    backend === "redis"
      ? ["Redis.plugin", "withRedis"]
      : ["Database.plugin, Database.transactional()", "withDatabase"]
  return new IdempotencyBackendError({
    message: `idempotency.backend is "${backend}", and ${plugin} does not have it. List ${needed} and Idempotency.${other} in its place, or choose "memory".`
  })
}

const memory = Effect.gen(function* () {
  const { maxMemory } = yield* IdempotencyConfig
  yield* Worker.warnIfSeveral(
    (count) =>
      `Each of the ${count} processes of app.replicas and server.workers keeps idempotency keys for itself, so that a request that is sent again may be carried out again by another one. List Idempotency.withDatabase or Idempotency.withRedis in the place of Idempotency.plugin.`
  )
  const store = new MemoryStore(maxMemory)
  yield* Metering.readings([
    {
      description: "Replies that were dropped before their time because the memory was full",
      id: "flange.idempotency.memory.evictions",
      read: () => store.evictions,
      type: "counter"
    },
    {
      description: "Bytes of the replies in memory",
      id: "flange.idempotency.memory.usage",
      read: () => store.bytes,
      type: "gauge",
      unit: "By"
    }
  ])
  return store
})

/** Returns the services of a plugin. `open` opens the store of its own backend. */
const services = <E, R>(plugin: string, own: Backend, open: Effect.Effect<Store, E, R>) =>
  Layer.effectContext(
    Effect.gen(function* () {
      const { backend = own } = yield* IdempotencyConfig
      if (backend !== own && backend !== "memory") return yield* missing(plugin, backend)
      return Context.make(KeyStore, yield* backend === "memory" ? memory : open).pipe(
        Context.add(IdempotencyErrors, ContractMiddleware.errorsOnly)
      )
    })
  )

const ping = Effect.flatMap(KeyStore, (store) => store.ping)

const shared = {
  annotate,
  config: [IdempotencyConfig],
  health: { idempotency: HealthCheck.make(ping, { class: "informational", timeout: "2 seconds" }) },
  middleware: [Repeats.middleware],
  provides: [IdempotencyErrors, KeyStore]
} as const

/**
 * Carries out a request with the header `Idempotency-Key` once, and answers further attempts with the first
 * reply, on endpoints with the annotation `Idempotent`. Keys are in the memory of the process: a restart
 * forgets them, and replicas do not share them: with several processes the start logs a warning. For those
 * list `Idempotency.withDatabase` or `Idempotency.withRedis` in its place.
 *
 * - config: section `idempotency`
 * - health: `idempotency`, informational
 * - metrics: `flange.idempotency.requests` by outcome and route, `flange.idempotency.memory.usage` and
 *   `flange.idempotency.memory.evictions`
 * - fails with `IdempotencyBackendError` in its acquire phase if it does not have `idempotency.backend`
 *
 * @example
 * ```ts
 * import { App } from "flange"
 * import * as Idempotency from "flange/Idempotency"
 *
 * const app = App.make("shop", [Idempotency.plugin])
 * App.describe(app).plugins[0]!.config // => ["idempotency"]
 * ```
 */
export const plugin = Plugin.make("flange:idempotency", {
  ...shared,
  contributes: [PluginCheck.kind.make("keys", RouteCheck.make(false))],
  layer: services("Idempotency.plugin", "memory", memory)
})

/**
 * Keeps keys in the database of the app: PostgreSQL, PGlite, MySQL or MariaDB. The reply is committed in the
 * transaction of the handler, together with its writes, so a request is carried out once even if the process
 * is killed. Each endpoint with the annotation runs in a read-write transaction: `Database.transactional()`,
 * or `Database.Transactional`.
 *
 * The plugin creates the table `flange_idempotency` if it is not there, and removes expired rows.
 *
 * @example
 * ```ts
 * import { App } from "flange"
 * import * as Database from "flange/Database"
 * import * as Idempotency from "flange/Idempotency"
 *
 * const app = App.make("shop", [
 *   Database.plugin,
 *   Database.transactional(),
 *   Idempotency.withDatabase
 * ])
 * App.describe(app).plugins.map(({ id }) => id)
 * // => ["flange:database", "flange:transactional", "flange:idempotency"]
 * ```
 */
export const withDatabase = Plugin.make("flange:idempotency", {
  ...shared,
  contributes: [PluginCheck.kind.make("keys", RouteCheck.make(true))],
  layer: services(
    "Idempotency.withDatabase",
    "database",
    Effect.gen(function* () {
      const store = SqlStore.make(yield* SqlClient)
      yield* store.createTable
      yield* Effect.forkScoped(
        Pruning.regularly(store.prune, "Expired idempotency keys were not removed")
      )
      return store
    })
  ),
  requires: [SqlClient]
})

/**
 * Keeps keys in Redis or Valkey, where all replicas see them. List it together with `Redis.plugin`. The reply
 * is kept after the commit of the handler's transaction: a process that is killed between the two leaves the
 * writes and no reply, and after the lease the request is carried out again. `Idempotency.withDatabase` does
 * not have this gap.
 *
 * @example
 * ```ts
 * import { App } from "flange"
 * import * as Idempotency from "flange/Idempotency"
 * import * as Redis from "flange/Redis"
 *
 * const app = App.make("shop", [Idempotency.withRedis, Redis.plugin])
 * App.describe(app).plugins.map(({ id }) => id) // => ["flange:redis", "flange:idempotency"]
 * ```
 */
export const withRedis = Plugin.make("flange:idempotency", {
  ...shared,
  contributes: [PluginCheck.kind.make("keys", RouteCheck.make(false))],
  layer: services(
    "Idempotency.withRedis",
    "redis",
    Effect.map(Effect.all({ redis: Redis.Redis, shared: SharedRedis }), ({ redis, shared }) =>
      RedisStore.make(redis, `${shared.prefix}idempotency`)
    )
  ),
  requires: [Redis.Redis, SharedRedis]
})
