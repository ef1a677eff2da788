/** `LISTEN` of PostgreSQL: a plugin's processes tell each other that there is something to read. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"

/** Milliseconds between two attempts to listen. */
const patience = 2000

/** The part of `PgClient` that listens. It holds a connection of the pool. */
export interface Listening {
  readonly listen: (
    channel: string
  ) => Effect.Effect<Queue.Dequeue<{ readonly payload: string }, SqlError>, SqlError, Scope.Scope>
}

/** Checks whether a client can listen and still has a connection for queries. PGlite has one connection. */
const canListen = (sql: object): sql is Listening =>
  hasProperty(sql, "listen") &&
  typeof sql.listen === "function" &&
  hasProperty(sql, "config") &&
  hasProperty(sql.config, "maxConnections") &&
  sql.config.maxConnections !== 1

/** The options of `listen`. */
export interface Options {
  /** The channel of PostgreSQL, of at most 63 bytes. */
  readonly channel: string
  /** The warning of the log if the connection fails. It is opened again after two seconds. */
  readonly lost: string
  /** Called with the payload of each notification. */
  readonly onMessage: (payload: string) => void
  /** Called each time the connection listens: notifications from before may have been missed. */
  readonly onOpen: () => void
}

/**
 * Listens until the scope closes, if the database can. Returns a function that returns whether the process
 * listens now.
 */
export const listen = (
  sql: SqlClient,
  { channel, lost, onMessage, onOpen }: Options
): Effect.Effect<() => boolean, never, Scope.Scope> =>
  Effect.gen(function* () {
    if (!canListen(sql)) return () => false
    let isListening = false
    const session = Effect.scoped(
      Effect.gen(function* () {
        const messages = yield* sql.listen(channel)
        isListening = true
        onOpen()
        yield* Effect.forever(Effect.map(Queue.take(messages), ({ payload }) => onMessage(payload)))
      })
    ).pipe(
      Effect.ensuring(
        Effect.sync(() => {
          isListening = false
        })
      ),
      Effect.catchCause((cause) =>
        Cause.hasInterruptsOnly(cause) ? Effect.interrupt : Effect.logWarning(lost, cause)
      )
    )
    yield* Effect.forkScoped(Effect.forever(Effect.andThen(session, Effect.sleep(patience))))
    return () => isListening
  })
