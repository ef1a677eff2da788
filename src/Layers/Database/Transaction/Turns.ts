/**
 * The order of the statements of one transaction: they run one at a time. A statement of a
 * sibling fiber waits until a savepoint ends, because the rollback would undo it.
 */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { TransactionEnded } from "./TransactionEnded.ts"

/** A transaction or a savepoint in it, as the client keeps it in the context of a fiber. */
export type Level = SqlClient.TransactionConnection.Service

/** Returns the level in which a fiber runs. Undefined outside transactions. */
export const levelOf = (
  fiber: Fiber.Fiber<unknown, unknown>,
  service: SqlClient.SqlClient["transactionService"]
): Level | undefined =>
  Context.getOrUndefined(
    fiber.context as Context.Context<SqlClient.TransactionConnection>, // its type is not known
    service
  )

const ended = new WeakSet<Level>()

/** Marks a level as ended: its later statements die with `TransactionEnded`. */
export const end = (level: Level): void => void ended.add(level)

/** Whether a level has ended, in a fiber that outlives it. */
export const hasEnded = (level: Level): boolean => ended.has(level)

/** Matches the savepoints of the client. Those that users write in SQL are ordinary statements. */
const savepoint = /^(RELEASE SAVEPOINT|ROLLBACK TO SAVEPOINT|SAVEPOINT) effect_sql_/

/** Whether a statement ends a savepoint of the client. */
export const endsSavepoint = (sql: string): boolean =>
  savepoint.test(sql) && !sql.startsWith("SAVEPOINT")

/** The turns of one transaction. */
export class Turns {
  /** The levels in which a savepoint is open, each with a `Deferred` that its end completes. */
  readonly #savepoints = new Map<Level, Deferred.Deferred<void>>()
  readonly #turn = Semaphore.makeUnsafe(1)

  /** Runs an effect alone, also while savepoints are open. */
  alone<A>(effect: Effect.Effect<A, SqlError>): Effect.Effect<A, SqlError> {
    return this.#turn.withPermit(effect)
  }

  /**
   * Runs a statement in its turn. Waits while a sibling fiber has a savepoint that
   * would contain it.
   */
  run<A>(
    level: Level,
    sql: string,
    statement: Effect.Effect<A, SqlError>
  ): Effect.Effect<A, SqlError> {
    const kind = savepoint.exec(sql)?.[1]
    return kind === undefined
      ? this.#inTurn(level, sql, statement)
      : this.#savepoint(kind, level, sql, statement)
  }

  /** Waits in the same way, and keeps the turn until the scope closes. */
  hold(level: Level, sql: string): Effect.Effect<void, never, Scope.Scope> {
    return Effect.flatMap(Effect.flatMap(Effect.scope, Scope.fork), (own) =>
      Effect.andThen(
        Scope.provide(this.#turn.takeScoped(1), own),
        Effect.suspend(() =>
          this.#savepoints.has(level)
            ? Effect.andThen(
                Scope.close(own, Exit.void),
                Effect.andThen(this.#siblingDone(level), this.hold(level, sql))
              )
            : refuseEnded(level, sql, Effect.void)
        )
      )
    )
  }

  #inTurn<A>(
    level: Level,
    sql: string,
    statement: Effect.Effect<A, SqlError>
  ): Effect.Effect<A, SqlError> {
    const turn = this.#turn.withPermit(
      Effect.suspend(() =>
        this.#savepoints.has(level)
          ? Effect.succeedNone
          : Effect.asSome(refuseEnded(level, sql, statement))
      )
    )
    return Effect.flatMap(turn, (done) =>
      done._tag === "Some"
        ? Effect.succeed(done.value)
        : Effect.andThen(this.#siblingDone(level), this.#inTurn(level, sql, statement))
    )
  }

  #siblingDone(level: Level): Effect.Effect<void> {
    return Effect.suspend(() => {
      const sibling = this.#savepoints.get(level)
      return sibling === undefined ? Effect.void : Deferred.await(sibling)
    })
  }

  #savepoint<A>(
    kind: string,
    level: Level,
    sql: string,
    statement: Effect.Effect<A, SqlError>
  ): Effect.Effect<A, SqlError> {
    const opens = kind === "SAVEPOINT"
    const alone = this.#turn.withPermit(
      Effect.suspend(() => {
        if (!opens) return statement
        this.#savepoints.set(level, Deferred.makeUnsafe())
        return refuseEnded(level, sql, statement)
      })
    )
    return Effect.onExitPrimitive(alone, (exit) => {
      if (kind === "RELEASE SAVEPOINT" || exit._tag === "Failure") this.#closeSavepoint(level)
      return undefined
    })
  }

  #closeSavepoint(level: Level): void {
    const open = this.#savepoints.get(level)
    this.#savepoints.delete(level)
    if (open !== undefined) Deferred.doneUnsafe(open, Exit.void)
  }
}

const refuseEnded = <A, E>(
  level: Level,
  sql: string,
  statement: Effect.Effect<A, E>
): Effect.Effect<A, E> => (hasEnded(level) ? Effect.die(new TransactionEnded({ sql })) : statement)
