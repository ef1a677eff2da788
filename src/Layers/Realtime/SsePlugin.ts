/** Event streams as plugins, one for each backend of the log. */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redis from "effect/persistence/Redis"
import { SqlClient } from "effect/sql/SqlClient"
import * as HealthCheck from "../../Plugin/HealthCheck.ts"
import * as Metering from "../../Plugin/Metering.ts"
import * as Plugin from "../../Plugin/Plugin.ts"
import { SharedRedis } from "../../Plugin/SharedRedis.ts"
import * as EventLog from "./EventLog.ts"
import type { Backend as LogBackend, Bounds } from "./EventLogBackend.ts"
import { MemoryLog } from "./EventLogMemory.ts"
import * as EventLogRedis from "./EventLogRedis.ts"
import * as EventLogSql from "./EventLogSql.ts"
import * as EventLogTails from "./EventLogTails.ts"
import * as Sse from "./Sse.ts"
import { type Backend, type Settings, SseConfig } from "./SseConfig.ts"
import * as SseConnections from "./SseConnections.ts"

/** The plugin does not have the backend that the configuration chooses. */
export class SseBackendError extends Data.TaggedError("SseBackendError")<{
  readonly message: string
}> {}

const missing = (plugin: string, backend: Exclude<Backend, "memory">) => {
  const [needed, other] =
    backend === "redis" ? ["Redis.plugin", "sseWithRedis"] : ["Database.plugin", "sseWithDatabase"]
  return new SseBackendError({
    message: `sse.backend is "${backend}", and ${plugin} does not have it. List ${needed} and Realtime.${other} in its place, or choose "memory".`
  })
}

const boundsOf = ({ maxAge, maxEvents }: Settings): Bounds => ({
  maxAge: Duration.toMillis(maxAge),
  maxEvents
})

const memory = (settings: Settings) =>
  Effect.gen(function* () {
    const log = new MemoryLog(boundsOf(settings), settings.maxMemory)
    yield* Metering.readings([
      {
        description: "Bytes of the events in memory",
        id: "flange.sse.memory.usage",
        read: () => log.bytes,
        type: "gauge",
        unit: "By"
      }
    ])
    return log
  })

/** Returns the services of a plugin. `open` opens the log of its own backend. */
const services = <E, R>(
  plugin: string,
  own: Backend,
  open: (settings: Settings) => Effect.Effect<LogBackend, E, R>
) =>
  Layer.effectContext(
    Effect.gen(function* () {
      const settings = yield* SseConfig
      const { backend = own } = settings
      if (backend !== own && backend !== "memory") return yield* missing(plugin, backend)
      const log = yield* backend === "memory" ? memory(settings) : open(settings)
      const tails = yield* EventLogTails.make(log)
      const connections = yield* SseConnections.make(settings, log, tails)
      return Context.make(EventLog.EventLog, EventLog.make(log, tails, settings.maxSize)).pipe(
        Context.add(Sse.Sse, Sse.make(settings, tails, connections))
      )
    })
  )

const shared = {
  config: [SseConfig],
  drain: Sse.Sse.use(({ drain }) => drain),
  health: {
    eventLog: HealthCheck.make(
      EventLog.EventLog.use(({ ping }) => ping),
      { class: "informational", timeout: "2 seconds" }
    )
  },
  provides: [EventLog.EventLog, Sse.Sse]
} as const

/**
 * Provides `Sse`, which answers requests with event streams, and `EventLog`, from which a client continues after
 * its `Last-Event-ID`. Events are in the memory of the process: a restart forgets them, and replicas do not share
 * them. For several replicas list `Realtime.sseWithDatabase` or `Realtime.sseWithRedis` in its place.
 *
 * - config: section `sse`
 * - health: `eventLog`, informational
 * - metrics: `flange.sse.connections`, `flange.sse.cuts` and `flange.sse.memory.usage`
 * - drain: ends all streams, and tells their clients when to connect again
 * - fails with `SseBackendError` in its acquire phase if it does not have `sse.backend`
 *
 * @example
 * ```ts
 * import { App } from "flange"
 * import * as Realtime from "flange/Realtime"
 *
 * const app = App.make("shop", [Realtime.sse])
 * App.describe(app).plugins[0]!.config // => ["sse"]
 * ```
 */
export const sse = Plugin.make("flange:sse", {
  ...shared,
  layer: services("Realtime.sse", "memory", memory)
})

const database = (settings: Settings) =>
  Effect.gen(function* () {
    const log = EventLogSql.make(
      yield* SqlClient,
      boundsOf(settings),
      Duration.toMillis(settings.pollInterval)
    )
    yield* log.createTables
    yield* log.start
    return log
  })

/**
 * Keeps events in the database of the app: PostgreSQL, PGlite, MySQL or MariaDB. An append takes part in the
 * transaction of the handler, so clients get an event if and only if the change that it tells of is committed.
 * Appends to one topic wait for each other until their transactions end.
 *
 * The plugin creates the tables `flange_events` and `flange_event_topics` if they are not there, and removes old
 * events. On PostgreSQL it holds one connection of the pool, which listens.
 *
 * @example
 * ```ts
 * import { App } from "flange"
 * import * as Database from "flange/Database"
 * import * as Realtime from "flange/Realtime"
 *
 * const app = App.make("shop", [Database.plugin, Realtime.sseWithDatabase])
 * App.describe(app).plugins.map(({ id }) => id) // => ["flange:database", "flange:sse"]
 * ```
 */
export const sseWithDatabase = Plugin.make("flange:sse", {
  ...shared,
  layer: services("Realtime.sseWithDatabase", "database", database),
  requires: [SqlClient]
})

/**
 * Keeps events in Redis or Valkey, where all replicas see them. List it together with `Redis.plugin`. An append
 * takes no part in a transaction of the database: append after the commit, or use `Realtime.sseWithDatabase`.
 *
 * @example
 * ```ts
 * import { App } from "flange"
 * import * as Realtime from "flange/Realtime"
 * import * as Redis from "flange/Redis"
 *
 * const app = App.make("shop", [Realtime.sseWithRedis, Redis.plugin])
 * App.describe(app).plugins.map(({ id }) => id) // => ["flange:redis", "flange:sse"]
 * ```
 */
export const sseWithRedis = Plugin.make("flange:sse", {
  ...shared,
  layer: services("Realtime.sseWithRedis", "redis", (settings) =>
    Effect.map(Effect.all({ redis: Redis.Redis, shared: SharedRedis }), ({ redis, shared }) =>
      EventLogRedis.make(redis, shared, boundsOf(settings))
    )
  ),
  requires: [Redis.Redis, SharedRedis]
})
