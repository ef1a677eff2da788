/** `LISTEN` and `NOTIFY` of PostgreSQL: the processes of an app tell each other what has happened. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as MonotonicClock from "./MonotonicClock.ts"

/** The part of `PgClient` that listens. It holds a connection of the pool. */
interface Listening {
  readonly listen: (
    channel: string
  ) => Effect.Effect<Queue.Dequeue<{ readonly payload: string }, SqlError>, SqlError, Scope.Scope>
}

/** A client whose server has notifications. */
export type ListeningClient = Listening & SqlClient

/** Checks whether the processes of a database can notify each other. PGlite has one process. */
export const hasNotifications = (sql: SqlClient): sql is ListeningClient =>
  hasProperty(sql, "listen") && typeof sql.listen === "function" && sql.driver !== "pglite"

/** Checks whether a client has a single connection, which a listener would keep from queries. */
const isSingle = (sql: object): boolean =>
  hasProperty(sql, "config") &&
  hasProperty(sql.config, "maxConnections") &&
  sql.config.maxConnections === 1

/** Checks whether a client can listen and still has a connection for queries. */
export const canListen = (sql: SqlClient): sql is ListeningClient =>
  hasNotifications(sql) && !isSingle(sql)

/**
 * Milliseconds without a notification after which a process notifies itself, and as many more after which it takes
 * the connection for lost. The notification of any process is a sign of life.
 */
const silence = 10_000

/** The payload by which a process notifies itself. `onMessage` does not get it. */
const signOfLife = ""

/** The first wait before an attempt to listen again, in milliseconds. Each one is twice as long as the one before. */
const firstWait = 50

/** The longest wait in milliseconds. A connection that lasted for less does not end an outage. */
const longestWait = 5000

/** The options of `listen`. */
export interface Options {
  /** The channel of PostgreSQL, of at most 63 bytes. */
  readonly channel: string
  /** The warning of the log if the connection is lost or cannot be opened. It is logged once until it is opened. */
  readonly lost: string
  /** Called when the connection is lost: notifications are missed until `onOpen` is called. Default: nothing. */
  readonly onLost?: (() => void) | undefined
  /** Called with the payload of each notification. An empty one is never sent to it. */
  readonly onMessage: (payload: string) => void
  /** Called each time the connection listens: notifications from before may have been missed. */
  readonly onOpen: () => void
}

/**
 * Listens until the scope closes, if the database can. A connection that is lost, or that delivers nothing, is
 * opened again after waits that grow. Returns a function that returns whether the process listens now.
 */
export const listen = (
  sql: SqlClient,
  { channel, lost, onLost = () => {}, onMessage, onOpen }: Options
): Effect.Effect<() => boolean, never, Scope.Scope> =>
  Effect.gen(function* () {
    if (!canListen(sql)) return () => false
    let failures = 0
    let isListening = false
    let isTold = false

    /** Listens on one connection, and fails when it is lost. */
    const session = Effect.scoped(
      Effect.gen(function* () {
        const queue = yield* sql.listen(channel)
        let isSilent = false
        isListening = true
        isTold = false
        onOpen()
        const receive = Effect.map(Queue.takeAll(queue), (notifications) => {
          isSilent = false
          for (const { payload } of notifications) if (payload !== signOfLife) onMessage(payload)
        })
        const watch = Effect.gen(function* () {
          isSilent = true
          yield* Effect.sleep(silence)
          if (!isSilent) return
          const sent = yield* Effect.exit(sql`select pg_notify(${channel}, ${signOfLife})`)
          // A pool without a free connection says nothing about the one that listens.
          if (sent._tag === "Failure") return
          yield* Effect.sleep(silence)
          if (isSilent) return yield* Effect.fail("The connection delivers no notifications")
        })
        return yield* Effect.raceFirst(Effect.forever(receive), Effect.forever(watch))
      })
    )

    const turn = Effect.gen(function* () {
      const begin = yield* MonotonicClock.millis
      const cause = yield* Effect.flip(Effect.sandbox(session))
      if (Cause.hasInterruptsOnly(cause)) return yield* Effect.interrupt
      if (isListening) {
        if ((yield* MonotonicClock.millis) - begin > longestWait) failures = 0
        isListening = false
        onLost()
      }
      if (!isTold) {
        isTold = true
        yield* Effect.logWarning(lost, cause)
      }
      const wait = Math.min(longestWait, firstWait * 2 ** failures++)
      yield* Effect.sleep(wait * (0.5 + (yield* Random.next)))
    })
    yield* Effect.forkScoped(
      Effect.ensuring(
        Effect.forever(turn),
        Effect.sync(() => {
          isListening = false
        })
      )
    )
    return () => isListening
  })
