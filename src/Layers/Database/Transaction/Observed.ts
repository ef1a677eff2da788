/** The transactions of a client, for plugins that do not know the database. */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { SqlClient } from "effect/sql/SqlClient"
import type { Transactions } from "../../../Plugin/Transactions.ts"
import { hasEnded, type Level, levelOf } from "./Turns.ts"

/** Returns the transactions of a client. A fiber that outlives its transaction is outside of it. */
export const make = ({ afterCommit, transactionService }: SqlClient): Transactions => {
  const openLevel = (fiber: Fiber.Fiber<unknown, unknown>): Level | undefined => {
    const level = levelOf(fiber, transactionService)
    return level === undefined || hasEnded(level) ? undefined : level
  }
  return {
    afterCommit: (effect) =>
      Effect.withFiber((fiber) => (openLevel(fiber) === undefined ? effect : afterCommit(effect))),
    // Savepoints have the connection of their transaction.
    current: Effect.withFiber((fiber) => Effect.succeed(openLevel(fiber)?.[0]))
  }
}
