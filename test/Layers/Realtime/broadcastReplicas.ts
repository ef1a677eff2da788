/** Replicas of one app, with broadcast and presence over each backend. */
import { randomUUID } from "node:crypto"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Broadcast, type BroadcastShape, Presence, type PresenceShape } from "flange/Realtime"
import { Redis, SharedRedis } from "flange/Redis"
import { inProcess } from "../../../src/Layers/Realtime/BroadcastBus.ts"
import {
  databaseParts,
  type Parts,
  redisParts,
  services
} from "../../../src/Layers/Realtime/BroadcastPlugin.ts"
import { inMemory } from "../../../src/Layers/Realtime/PresenceStore.ts"
import { connect } from "../../../src/Layers/Redis/Connect.ts"
import * as backends from "../Database/backends.ts"
import { settings } from "../Redis/server.ts"

/** The services of one replica. */
export interface Replica {
  readonly broadcast: BroadcastShape
  readonly presence: PresenceShape
}

/** The settings of a test. */
export interface Times {
  readonly heartbeat: Duration.Duration
  readonly lease: Duration.Duration
  readonly maxSize: number
}

/** A slow machine loses no lease. */
export const patient: Times = {
  heartbeat: Duration.seconds(30),
  lease: Duration.minutes(5),
  maxSize: 2 ** 16
}

/** Makes a replica. */
export const replicaOf = (
  parts: Parts,
  times: Times = patient
): Effect.Effect<Replica, never, Scope.Scope> =>
  Effect.map(services(parts, times), (context) => ({
    broadcast: Context.get(context, Broadcast),
    presence: Context.get(context, Presence)
  }))

/** A backend: `open` returns what opens a replica of a new app. */
export interface Kind {
  readonly name: string
  readonly open: Effect.Effect<Effect.Effect<Parts, unknown, Scope.Scope>, unknown, Scope.Scope>
}

/** One process. */
export const memory: Kind = {
  name: "memory",
  open: Effect.sync(() => Effect.succeed({ bus: inProcess(), store: inMemory() }))
}

/** Opens replicas over a Redis. */
export const overRedis = (url: string, prefix: string) =>
  Effect.map(connect(settings({ prefix, url })), (context) =>
    redisParts(
      { redis: Context.get(context, Redis), shared: Context.get(context, SharedRedis) },
      `${prefix}:`
    )
  )

/** Opens replicas over a database. */
export const overDatabase = (url: string, prefix: string, values: object = {}) =>
  Effect.flatMap(backends.open(url, values), (sql) => databaseParts(sql, prefix, patient.maxSize))

/** PostgreSQL, where each replica has a client, or PGlite, which has one process. */
export const database = (backend: backends.Backend): Kind => ({
  name: backend.name,
  open: Effect.gen(function* () {
    const url = yield* backend.fresh
    const prefix = randomUUID()
    const open = overDatabase(url, prefix)
    return backend.kind === "pglite" ? Effect.succeed(yield* open) : open
  })
})
