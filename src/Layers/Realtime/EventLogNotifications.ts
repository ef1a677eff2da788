/** `LISTEN` and `NOTIFY` of PostgreSQL, which tell a process that a topic has an event. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Watchers } from "./EventLogBackend.ts"

/** The channel of all topics. The payload of a message is the topic. */
export const channel = "flange_events"

/** How often a process that listens looks for events that it was not told of, in milliseconds. */
export const pollInterval = 10_000

/** Milliseconds between two attempts to listen. */
const patience = 2000

/** The part of `PgClient` that listens. It holds a connection of the pool. */
interface Listening {
  readonly config: { readonly maxConnections?: number | undefined }
  readonly listen: (
    channel: string
  ) => Effect.Effect<Queue.Dequeue<{ readonly payload: string }, SqlError>, SqlError, Scope.Scope>
}

const canListen = (sql: object): sql is Listening =>
  hasProperty(sql, "listen") &&
  typeof sql.listen === "function" &&
  hasProperty(sql, "config") &&
  hasProperty(sql.config, "maxConnections") &&
  // PGlite has one connection.
  sql.config.maxConnections !== 1

/** Runs an effect. Its failure is logged as a warning, also one that is a defect. */
export const warned = <E>(effect: Effect.Effect<void, E>, what: string): Effect.Effect<void> =>
  Effect.catchCause(effect, (cause) =>
    Cause.hasInterruptsOnly(cause)
      ? Effect.interrupt
      : Effect.logWarning(`The log of events failed to ${what}`, cause)
  )

/**
 * Listens until the scope closes, if the database can. Returns a function that returns whether the process
 * listens now.
 */
export const listen = (
  sql: SqlClient,
  watchers: Watchers
): Effect.Effect<() => boolean, never, Scope.Scope> =>
  Effect.gen(function* () {
    if (!canListen(sql)) return () => false
    let isListening = false
    const session = Effect.scoped(
      Effect.gen(function* () {
        const messages = yield* sql.listen(channel)
        isListening = true
        // Messages from before.
        watchers.wakeAll()
        yield* Effect.forever(
          Effect.map(Queue.take(messages), ({ payload }) => watchers.wake(payload))
        )
      })
    ).pipe(
      Effect.ensuring(
        Effect.sync(() => {
          isListening = false
        })
      )
    )
    yield* Effect.forkScoped(
      Effect.forever(Effect.andThen(warned(session, "listen"), Effect.sleep(patience)))
    )
    return () => isListening
  })
