/** Attempts that a store could not settle: this process settles them as soon as the store works again. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as MonotonicClock from "../../Plugin/MonotonicClock.ts"
import type { Attempt, Found, KeyStoreError, Store } from "./KeyStore.ts"

type Done = Extract<Found, { readonly _tag: "Done" }>

interface Entry {
  /** The reply to keep; undefined if the key is to be freed. */
  readonly done: Done | undefined
  /** The time of the monotonic clock at which it is given up. */
  readonly endsAt: number
  readonly settle: Effect.Effect<unknown, KeyStoreError>
}

/** How many keys to free are remembered, how many replies, and how many UTF-16 units of them. */
const most = { keys: 1000, replies: 1000, units: 2 ** 26 }

/** The message of a key that `free` does not remember. */
export const tooManyKeys = `${most.keys} idempotency keys wait until the store frees them. Those of further requests stay in use until their leases end`

/** Milliseconds for which a key is tried. */
const longest = Duration.toMillis("1 hour")

/** Milliseconds between two rounds. */
const interval = 1000

/** Milliseconds after which an attempt on the store has failed. */
const patience = 5000

/** After so many failures in turn the store does not work, and the round ends. */
const mostFailures = 3

const forgetEnded = (entries: Map<string, Entry>, now: number): void => {
  for (const [key, { endsAt }] of entries) if (endsAt <= now) entries.delete(key)
}

/** Settles entries in turn. One that fails is the last of the next round. */
const settleAll = (entries: Map<string, Entry>): Effect.Effect<void> =>
  Effect.suspend(() => {
    const all = [...entries]
    let at = 0
    let failures = 0
    return Effect.whileLoop({
      body: () => Effect.exit(Effect.timeout(all[at]![1].settle, patience)),
      step: ({ _tag }) => {
        const [key, entry] = all[at++]!
        failures = _tag === "Success" ? 0 : failures + 1
        // Another one may have its place.
        if (entries.get(key) !== entry) return
        entries.delete(key)
        if (_tag === "Failure") entries.set(key, entry)
      },
      while: () => at < all.length && failures < mostFailures
    })
  })

/** The attempts of a process that its store has not settled. */
export class Unsettled {
  /** By owner. */
  readonly #keys = new Map<string, Entry>()
  /** By id. */
  readonly #replies = new Map<string, Entry>()
  /** Is open while there are entries. */
  readonly #some = Latch.makeUnsafe(false)
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  /** Returns the reply to the request of a key. The lease of the key may have ended in the outage. */
  find(id: string): Effect.Effect<Done | undefined> {
    return Effect.map(MonotonicClock.millis, (now) => {
      const entry = this.#replies.get(id)
      return entry !== undefined && now < entry.endsAt ? entry.done : undefined
    })
  }

  /** Frees the key of an attempt, without waiting for it. Returns false if too many keys are remembered. */
  free(attempt: Attempt): Effect.Effect<boolean> {
    return Effect.map(MonotonicClock.millis, (now) => {
      if (this.#keys.size >= most.keys) return false
      const settle = Effect.suspend(() => this.#store.release(attempt))
      this.#keys.set(attempt.owner, { done: undefined, endsAt: now + longest, settle })
      this.#some.openUnsafe()
      return true
    })
  }

  /**
   * Keeps a reply for `ttl` milliseconds, without waiting for it. Returns false if too many replies are
   * remembered.
   */
  keep(attempt: Attempt, reply: string, ttl: number): Effect.Effect<boolean> {
    return Effect.map(MonotonicClock.millis, (now) => {
      const { fingerprint, id } = attempt
      let units = reply.length
      for (const { done } of this.#replies.values()) units += done!.reply.length
      if (this.#replies.size >= most.replies || units > most.units) return false
      const settle = Effect.suspend(() => this.#store.complete(attempt, reply, ttl))
      const done: Done = { _tag: "Done", fingerprint, reply }
      // The reply of the attempt that lost the key to this one goes.
      this.#replies.set(id, { done, endsAt: now + ttl, settle })
      this.#some.openUnsafe()
      return true
    })
  }

  /** Settles the attempts while there are some, and waits for more. */
  get run(): Effect.Effect<never> {
    const round = Effect.gen({ self: this }, function* () {
      yield* this.#some.await
      const now = yield* MonotonicClock.millis
      forgetEnded(this.#keys, now)
      forgetEnded(this.#replies, now)
      yield* settleAll(this.#replies)
      yield* settleAll(this.#keys)
      if (this.#keys.size + this.#replies.size > 0) yield* Effect.sleep(interval)
      else this.#some.closeUnsafe()
    })
    return Effect.forever(round)
  }
}
