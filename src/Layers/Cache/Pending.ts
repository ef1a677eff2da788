/** The invalidations and values that wait for the commit of a transaction. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { AppRuntimeShape } from "../../Plugin/AppRuntime.ts"
import * as Transactions from "../../Plugin/Transactions.ts"
import { type CacheKey, covers, type Target } from "./CacheKey.ts"

/**
 * Lets effects wait for the commit, and remembers what a transaction will invalidate or replace. A transaction that
 * changed a value reads it from the database, and what it reads is not for others before the commit.
 */
export class Pending {
  #isUsed = false
  readonly #runtime: AppRuntimeShape | undefined
  readonly #targets = new WeakMap<object, Array<Target>>()

  /** Without an app there are no transactions. */
  constructor(runtime: Option.Option<AppRuntimeShape>) {
    this.#runtime = Option.getOrUndefined(runtime)
  }

  /** Runs an effect after the commit, or at once outside transactions. */
  afterCommit<R>(effect: Effect.Effect<void, never, R>): Effect.Effect<void, never, R> {
    return this.#runtime === undefined ? effect : Transactions.afterCommit(this.#runtime, effect)
  }

  /** Whether a transaction of the calling fiber will invalidate or replace a value. */
  covers(key: CacheKey, tags: ReadonlyArray<string>): Effect.Effect<boolean> {
    if (!this.#isUsed || this.#runtime === undefined) return Effect.succeed(false)
    return Effect.map(Transactions.current(this.#runtime), (transactions) =>
      transactions.some((transaction) =>
        this.#targets.get(transaction)?.some((target) => covers(target, key, tags))
      )
    )
  }

  /** Runs the change of targets after the commit, and remembers them until then. */
  change(targets: ReadonlyArray<Target>, effect: Effect.Effect<void>): Effect.Effect<void> {
    if (this.#runtime === undefined) return effect
    return Effect.flatMap(Transactions.current(this.#runtime), (transactions) => {
      for (const transaction of transactions) {
        const known = this.#targets.get(transaction)
        if (known === undefined) this.#targets.set(transaction, [...targets])
        else for (const target of targets) known.push(target)
        this.#isUsed = true
      }
      return this.afterCommit(effect)
    })
  }
}
