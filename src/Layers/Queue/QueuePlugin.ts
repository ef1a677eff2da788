/** The battery as plugins, one for each backend. */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PersistedQueue from "effect/persistence/PersistedQueue"
import * as Redis from "effect/persistence/Redis"
import type * as Scope from "effect/Scope"
import { SqlClient } from "effect/sql/SqlClient"
import { AppRuntime, type AppRuntimeShape } from "../../Plugin/AppRuntime.ts"
import * as Cli from "../../Plugin/Cli.ts"
import * as HealthCheck from "../../Plugin/HealthCheck.ts"
import * as Plugin from "../../Plugin/Plugin.ts"
import * as PluginCheck from "../../Plugin/PluginCheck.ts"
import * as Pruning from "../../Plugin/Pruning.ts"
import * as Role from "../../Plugin/Role.ts"
import { SharedRedis } from "../../Plugin/SharedRedis.ts"
import * as Transactions from "../../Plugin/Transactions.ts"
import * as Worker from "../../Plugin/Worker.ts"
import * as Admin from "./Admin.ts"
import * as Depth from "./Depth.ts"
import * as Engine from "./Engine.ts"
import { MemoryStore } from "./MemoryStore.ts"
import { kind } from "./Queue.ts"
import { type Backend, QueueConfig } from "./QueueConfig.ts"
import { QueueBackendError } from "./QueueErrors.ts"
import * as Queues from "./Queues.ts"
import { QueueStore, type Store } from "./QueueStore.ts"
import * as RedisStore from "./RedisStore.ts"
import * as SqlStore from "./SqlStore.ts"
import * as Workers from "./Workers.ts"

/** The most items that a process claims in advance for one queue. */
const ahead = 500

const missing = (plugin: string, backend: Exclude<Backend, "memory">) => {
  const [needed, other] =
    backend === "redis" ? ["Redis.plugin", "withRedis"] : ["Database.plugin", "withDatabase"]
  return new QueueBackendError({
    message: `queue.backend is "${backend}", and ${plugin} does not have it. List ${needed} and Queue.${other} in its place, or choose "memory".`
  })
}

const memory = Effect.as(
  Worker.warnIfSeveral(
    (count) =>
      `Each of the ${count} processes of app.replicas and server.workers keeps queues for itself, and a restart forgets them. List Queue.withDatabase or Queue.withRedis in the place of Queue.plugin.`
  ),
  undefined
).pipe(Effect.map((): Store => new MemoryStore()))

/**
 * Refuses to take in a transaction: it would be open while the queue is empty, and on PGlite it has the only
 * connection.
 */
const outsideTransactions = (
  persisted: PersistedQueue.PersistedQueueStore["Service"],
  runtime: AppRuntimeShape
) =>
  PersistedQueue.PersistedQueueStore.of({
    ...persisted,
    take: (options) =>
      Effect.flatMap(Transactions.current(runtime), (all) =>
        all.length === 0
          ? persisted.take(options)
          : Effect.fail(
              new PersistedQueue.PersistedQueueError({
                message: `An item of the queue "${options.name}" cannot be taken in a transaction, which would be open while the queue is empty. Open the transaction in the function that handles the item.`
              })
            )
      )
  })

/** Returns the services of a plugin. `open` opens the store of its own backend. */
const services = <E, R>(
  plugin: string,
  own: Backend,
  open: Effect.Effect<Store, E, R | Scope.Scope>
) =>
  Layer.effectContext(
    Effect.gen(function* () {
      const settings = yield* QueueConfig
      const { backend = own, lease, maxPayload, pollInterval } = settings
      if (backend !== own && backend !== "memory") return yield* missing(plugin, backend)
      const store = yield* backend === "memory" ? memory : open
      const runtime = yield* AppRuntime
      const engine = yield* Engine.make(store, {
        ahead,
        lease: Duration.toMillis(lease),
        pollInterval: Duration.toMillis(pollInterval)
      })
      const cleanup = store.cleanup({
        completed: Duration.toMillis(settings.keepCompleted),
        dead: Duration.toMillis(settings.keepDead)
      })
      yield* Effect.forkScoped(Pruning.regularly(cleanup, "Old items of queues were not removed"))
      const persisted = store.isTransactional
        ? outsideTransactions(engine.persisted, runtime)
        : engine.persisted
      const factory = yield* Effect.provideService(
        PersistedQueue.makeFactory,
        PersistedQueue.PersistedQueueStore,
        persisted
      )
      return Context.make(QueueStore, store).pipe(
        Context.add(PersistedQueue.PersistedQueueFactory, factory),
        Context.add(PersistedQueue.PersistedQueueStore, persisted),
        Context.add(Queues.Queues, Queues.make(store, maxPayload, runtime)),
        Context.add(Workers.Workers, yield* Workers.make(engine))
      )
    })
  )

const start = Effect.gen(function* () {
  yield* Depth.measure
  if (!(yield* Role.has("worker"))) return
  const { contributions } = yield* AppRuntime
  const workers = yield* Workers.Workers
  yield* Effect.forEach(contributions(kind), workers.start, { discard: true })
})

const shared = {
  config: [QueueConfig],
  contributes: [
    Cli.make("queues", { load: () => import("./QueuesCommand.ts") }),
    PluginCheck.kind.make("workers of other roles", PluginCheck.carriedOutBy(kind.name, "worker")),
    PluginCheck.kind.make(
      "workers",
      PluginCheck.unique(
        kind.name,
        "RepeatedWorker",
        (queue, owners) =>
          `The queue "${queue}" has several workers, in ${owners}: an item would go to any of them. Keep one, or give the queues different names.`
      )
    ),
    ...Admin.routes
  ],
  drain: Effect.flatMap(Workers.Workers, ({ drain }) => drain),
  health: {
    queue: HealthCheck.make(Depth.health, { class: "informational", timeout: "5 seconds" })
  },
  provides: [
    PersistedQueue.PersistedQueueFactory,
    PersistedQueue.PersistedQueueStore,
    QueueStore,
    Queues.Queues,
    Workers.Workers
  ],
  ready: () => start
} as const

/**
 * Keeps queues in the memory of the process and runs their workers. A restart forgets the items, and replicas do
 * not share them: with several processes the start logs a warning. For those list `Queue.withDatabase` or
 * `Queue.withRedis` in its place.
 *
 * - config: section `queue`
 * - admin port: `/queues`, and routes under it that list, requeue and remove items, and pause queues
 * - command: `flange queues`
 * - health: `queue`, degraded if items wait for longer than `queue.maxWait` or dead letters are there
 * - metrics: `flange.queue.attempts` by queue and outcome, `flange.queue.duration`, `flange.queue.wait`,
 *   `flange.queue.items` by queue and state, `flange.queue.age`
 * - role: workers run in processes with the role `worker`; everything else in all
 * - provides `PersistedQueueFactory` and `PersistedQueueStore` of `effect/persistence`, on the same store
 * - fails with `QueueBackendError` in its acquire phase if it does not have `queue.backend`
 *
 * @example
 * ```ts
 * import { App } from "flange"
 * import * as Queue from "flange/Queue"
 *
 * const app = App.make("shop", [Queue.plugin])
 * App.describe(app).plugins[0]!.config // => ["queue"]
 * ```
 */
export const plugin = Plugin.make("flange:queue", {
  ...shared,
  layer: services("Queue.plugin", "memory", memory)
})

/**
 * Keeps queues in the database of the app: PostgreSQL or PGlite. What is enqueued in a transaction is added by
 * its commit, together with the other writes. Workers of all processes are woken by `NOTIFY` of
 * PostgreSQL.
 *
 * The plugin creates the tables `flange_queue_items` and `flange_queues` if they are not there, and removes old
 * rows. A process that listens holds one connection of its pool.
 *
 * @example
 * ```ts
 * import { App } from "flange"
 * import * as Database from "flange/Database"
 * import * as Queue from "flange/Queue"
 *
 * const app = App.make("shop", [Database.plugin, Queue.withDatabase])
 * App.describe(app).plugins.map(({ id }) => id) // => ["flange:database", "flange:queue"]
 * ```
 */
export const withDatabase = Plugin.make("flange:queue", {
  ...shared,
  layer: services(
    "Queue.withDatabase",
    "database",
    Effect.gen(function* () {
      const store = yield* SqlStore.open(yield* SqlClient)
      yield* store.createTables
      yield* store.start
      return store
    })
  ),
  requires: [SqlClient]
})

/**
 * Keeps queues in Redis or Valkey. List it together with `Redis.plugin`. What is enqueued in a transaction of the
 * database is added after its commit; a process that is killed between the two loses it. If this must not
 * happen, list `Queue.withDatabase`. While Redis is away, enqueueing fails and workers wait.
 *
 * Redis must not evict keys (`maxmemory-policy noeviction`), and keeps the items over a restart only if it writes
 * them to disk (`appendonly yes`).
 *
 * @example
 * ```ts
 * import { App } from "flange"
 * import * as Queue from "flange/Queue"
 * import * as Redis from "flange/Redis"
 *
 * const app = App.make("shop", [Queue.withRedis, Redis.plugin])
 * App.describe(app).plugins.map(({ id }) => id) // => ["flange:redis", "flange:queue"]
 * ```
 */
export const withRedis = Plugin.make("flange:queue", {
  ...shared,
  layer: services(
    "Queue.withRedis",
    "redis",
    Effect.map(Effect.all({ redis: Redis.Redis, shared: SharedRedis }), (found) =>
      RedisStore.make(found, `${found.shared.prefix}queue`)
    )
  ),
  requires: [Redis.Redis, SharedRedis]
})
