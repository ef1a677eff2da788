/**
 * Transactions as plugins see them that do not know the database: what they do with a cache, a queue or
 * another process has to wait for the commit.
 */
import * as Effect from "effect/Effect"
import type { AppRuntimeShape } from "./AppRuntime.ts"
import * as Contribution from "./Contribution.ts"

/** The transactions of one database. */
export interface Transactions {
  /**
   * Runs an effect after the commit of the transaction of the calling fiber, and not after a rollback.
   * Without a transaction it runs at once.
   */
  readonly afterCommit: <R>(effect: Effect.Effect<void, never, R>) => Effect.Effect<void, never, R>
  /**
   * Returns the transaction of the calling fiber: the same object in all its savepoints. Undefined
   * without a transaction.
   */
  readonly current: Effect.Effect<object | undefined>
}

/** The kind of contribution with which a plugin tells of its transactions. */
export const kind = Contribution.kind<void, Transactions>()("flange/transactions")

/** Runs an effect after the commit of every transaction in which the calling fiber is. */
export const afterCommit = <R>(
  runtime: AppRuntimeShape,
  effect: Effect.Effect<void, never, R>
): Effect.Effect<void, never, R> =>
  runtime.contributions(kind).reduce((inner, { value }) => value.afterCommit(inner), effect)

/** Returns the transactions in which the calling fiber is. */
export const current = (runtime: AppRuntimeShape): Effect.Effect<ReadonlyArray<object>> =>
  Effect.map(
    Effect.forEach(runtime.contributions(kind), ({ value }) => value.current),
    (all) => all.filter((one) => one !== undefined)
  )
