/** `LISTEN` and `NOTIFY` of PostgreSQL, which tell a process that a topic has an event. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { SqlClient } from "effect/sql/SqlClient"
import * as SqlListen from "../../Plugin/SqlListen.ts"
import type { Watchers } from "./EventLogBackend.ts"

/** The channel of all topics. The payload of a message is the topic. */
export const channel = "flange_events"

/** How often a process that listens looks for events that it was not told of, in milliseconds. */
export const pollInterval = 10_000

/** Runs an effect. Its failure is logged as a warning, also one that is a defect. */
export const warned = <E>(effect: Effect.Effect<void, E>, what: string): Effect.Effect<void> =>
  Effect.catchCause(effect, (cause) =>
    Cause.hasInterruptsOnly(cause)
      ? Effect.interrupt
      : Effect.logWarning(`The log of events failed to ${what}`, cause)
  )

/**
 * Listens until the scope closes, if the database can, and calls `onLost` when the connection is lost. Returns a
 * function that returns whether the process listens now.
 */
export const listen = (
  sql: SqlClient,
  watchers: Watchers,
  onLost: () => void
): Effect.Effect<() => boolean, never, Scope.Scope> =>
  SqlListen.listen(sql, {
    channel,
    lost: "The connection that listens for events was lost. The log looks for events until it is opened again",
    onLost,
    onMessage: (topic) => watchers.wake(topic),
    onOpen: () => watchers.wakeAll()
  })
