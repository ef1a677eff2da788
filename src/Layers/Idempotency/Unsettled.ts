/** Attempts that a store could not settle: this process settles them as soon as the store works again. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as MonotonicClock from "../../Plugin/MonotonicClock.ts"
import type { Attempt, Found, KeyStoreError, Store } from "./KeyStore.ts"

type Done = Extract<Found, { readonly _tag: "Done" }>

/** An attempt, and the reply to keep; without one its key is freed. */
interface Entry {
  readonly attempt: Attempt
  /** The reply, and the time of the monotonic clock at which it ends. */
  readonly kept: { readonly done: Done; readonly endsAt: number; readonly ttl: number } | undefined
}

/** How many keys to free are remembered, how many replies, and how many UTF-16 units of them. */
const most = { keys: 1000, replies: 1000, units: 2 ** 26 }

/** The message of a key that `free` does not remember. */
export const tooManyKeys = `${most.keys} idempotency keys wait until the store frees them. Those of further requests stay in use until their leases end`

/** Milliseconds between two attempts on a store that does not work. */
const interval = 1000

/** The attempts of a process that its store has not settled. One fiber settles them, and runs only while there are some. */
export class Unsettled {
  readonly #entries = new Set<Entry>()
  #isRunning = false
  #keys = 0
  readonly #replies = new Map<string, Done>()
  readonly #scope: Scope.Scope
  readonly #store: Store
  #units = 0

  constructor(store: Store, scope: Scope.Scope) {
    this.#scope = scope
    this.#store = store
  }

  /** Returns the reply to the request of a key. The lease of the key may have ended in the outage. */
  find(id: string): Done | undefined {
    return this.#replies.get(id)
  }

  /** Frees the key of an attempt, without waiting for it. Returns false if too many keys are remembered. */
  free(attempt: Attempt): Effect.Effect<boolean> {
    return Effect.suspend(() => {
      if (this.#keys >= most.keys) return Effect.succeed(false)
      this.#keys++
      return this.#add({ attempt, kept: undefined })
    })
  }

  /**
   * Keeps a reply for `ttl` milliseconds, without waiting for it. Returns false if too many replies are
   * remembered.
   */
  keep(attempt: Attempt, reply: string, ttl: number): Effect.Effect<boolean> {
    return Clock.clockWith((clock) => {
      const { fingerprint, id } = attempt
      const units = this.#units + reply.length
      if (this.#replies.size >= most.replies || units > most.units) return Effect.succeed(false)
      const done: Done = { _tag: "Done", fingerprint, reply }
      this.#units = units
      this.#replies.set(id, done)
      return this.#add({
        attempt,
        kept: { done, endsAt: MonotonicClock.millisOf(clock) + ttl, ttl }
      })
    })
  }

  #add(entry: Entry): Effect.Effect<true> {
    this.#entries.add(entry)
    if (this.#isRunning) return Effect.succeed(true)
    this.#isRunning = true
    return Effect.as(Effect.forkIn(this.#run, this.#scope), true)
  }

  #remove(entry: Entry): void {
    if (!this.#entries.delete(entry)) return
    const done = entry.kept?.done
    if (done === undefined) {
      this.#keys--
      return
    }
    const { id } = entry.attempt
    this.#units -= done.reply.length
    if (this.#replies.get(id) === done) this.#replies.delete(id)
  }

  #settle({ attempt, kept }: Entry): Effect.Effect<unknown, KeyStoreError> {
    return kept === undefined
      ? this.#store.release(attempt)
      : this.#store.complete(attempt, kept.done.reply, kept.ttl)
  }

  /** Settles the entries in turn until one fails. That one is the last of the next round. */
  readonly #round = Clock.clockWith((clock) => {
    const now = MonotonicClock.millisOf(clock)
    for (const entry of this.#entries) {
      if (entry.kept !== undefined && entry.kept.endsAt <= now) this.#remove(entry)
    }
    return Effect.forEach(
      this.#entries,
      (entry) =>
        Effect.onExit(this.#settle(entry), (exit) =>
          Effect.sync(() => {
            if (exit._tag === "Success") this.#remove(entry)
            else if (this.#entries.delete(entry)) this.#entries.add(entry)
          })
        ),
      { discard: true }
    )
  })

  readonly #run = Effect.suspend(() => Effect.exit(this.#round)).pipe(
    Effect.andThen(
      Effect.suspend(() => (this.#entries.size === 0 ? Effect.void : Effect.sleep(interval)))
    ),
    Effect.repeat({
      while: () => {
        this.#isRunning = this.#entries.size > 0
        return this.#isRunning
      }
    })
  )
}
