/** Wake-ups of workers: in the process, and between processes by `LISTEN` and `NOTIFY` of PostgreSQL. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { SqlClient } from "effect/sql/SqlClient"
import * as SqlListen from "../../Plugin/SqlListen.ts"

/** The channel of all queues. The payload is `w` or `d`, and the name of the queue. */
export const channel = "flange_queues"

/** Returns the payload for a queue. `isDelayed`: its new items wait for a delay only. */
export const payloadOf = (queue: string, isDelayed: boolean): string =>
  `${isDelayed ? "d" : "w"}${queue}`

/** The listeners of this process that wait for items of queues. */
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
  Effect.asVoid(
    SqlListen.listen(sql, {
      channel,
      lost: "The connection that listens for the items of queues was lost. Workers poll until it is opened again",
      onMessage: (payload) => wakers.wake(payload.slice(1), payload.startsWith("d")),
      onOpen: () => wakers.wake(undefined)
    })
  )
