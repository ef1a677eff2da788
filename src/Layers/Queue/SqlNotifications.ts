/** Wake-ups of workers: in the process, and between processes by `LISTEN` and `NOTIFY` of PostgreSQL. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"

/** The channel of all queues. The payload is `w` or `d`, and the name of the queue. */
export const channel = "flange_queues"

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

/** Returns the payload for a queue. `isDelayed`: its new items wait for a delay only. */
export const payloadOf = (queue: string, isDelayed: boolean): string =>
  `${isDelayed ? "d" : "w"}${queue}`

/** Those who wait for the items of queues in this process. */
export class Wakers {
  readonly #all = new Set<(queue: string | undefined) => void>()
  /** Called with a queue that has new delayed items. */
  readonly #onDelayed: (queue: string) => void

  constructor(onDelayed: (queue: string) => void) {
    this.#onDelayed = onDelayed
  }

  /** Adds a listener until the scope closes. */
  add(wake: (queue: string | undefined) => void): Effect.Effect<void, never, Scope.Scope> {
    return Effect.asVoid(
      Effect.acquireRelease(
        Effect.sync(() => this.#all.add(wake)),
        () => Effect.sync(() => this.#all.delete(wake))
      )
    )
  }

  /** Tells all listeners of a queue, or of all queues. */
  wake(queue: string | undefined, isDelayed = false): void {
    if (isDelayed && queue !== undefined) this.#onDelayed(queue)
    for (const wake of this.#all) wake(queue)
  }
}

/** Listens until the scope closes, if the database can. */
export const listen = (sql: SqlClient, wakers: Wakers): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    if (!canListen(sql)) return
    const session = Effect.scoped(
      Effect.gen(function* () {
        const messages = yield* sql.listen(channel)
        // Messages from before.
        wakers.wake(undefined)
        yield* Effect.forever(
          Effect.map(Queue.take(messages), ({ payload }) =>
            wakers.wake(payload.slice(1), payload.startsWith("d"))
          )
        )
      })
    ).pipe(
      Effect.catchCause((cause) =>
        Cause.hasInterruptsOnly(cause)
          ? Effect.interrupt
          : Effect.logWarning(
              "The connection that listens for the items of queues was lost. Workers poll until it is opened again",
              cause
            )
      )
    )
    yield* Effect.forkScoped(Effect.forever(Effect.andThen(session, Effect.sleep(patience))))
  })
