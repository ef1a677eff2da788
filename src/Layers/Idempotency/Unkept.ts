/** Replies that a store could not keep: this process remembers them until the store works again. */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { Attempt, Found, Store } from "./KeyStore.ts"

type Done = Extract<Found, { readonly _tag: "Done" }>

/** How many replies are remembered, and how many UTF-16 units of them. */
const most = { replies: 1000, units: 2 ** 26 }

/** The replies of a process that its store does not have. */
export class Unkept {
  readonly #done = new Map<string, Done>()
  readonly #scope: Scope.Scope
  readonly #store: Store
  #units = 0

  constructor(store: Store, scope: Scope.Scope) {
    this.#scope = scope
    this.#store = store
  }

  /** Returns the reply to the request of a key. The lease of the key may have ended in the outage. */
  find(id: string): Done | undefined {
    return this.#done.get(id)
  }

  /**
   * Keeps a reply each second until the store has it or `ttl` has passed, without waiting for it. Returns
   * false if too many replies are remembered.
   */
  keepLater(attempt: Attempt, reply: string, ttl: number): Effect.Effect<boolean> {
    return Effect.suspend(() => {
      const { fingerprint, id } = attempt
      const units = this.#units + reply.length
      if (this.#done.size >= most.replies || units > most.units) return Effect.succeed(false)
      const done: Done = { _tag: "Done", fingerprint, reply }
      this.#units = units
      this.#done.set(id, done)
      const forget = Effect.sync(() => {
        this.#units -= reply.length
        if (this.#done.get(id) === done) this.#done.delete(id)
      })
      const kept = Effect.sleep(1000).pipe(
        Effect.andThen(Effect.suspend(() => this.#store.complete(attempt, reply, ttl))),
        Effect.retry(Schedule.forever),
        Effect.timeoutOption(ttl),
        Effect.ensuring(forget)
      )
      return Effect.as(Effect.forkIn(kept, this.#scope), true)
    })
  }
}
