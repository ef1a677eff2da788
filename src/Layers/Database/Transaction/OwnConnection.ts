/**
 * The connection of a transaction of the client, or of `sql.reserve`. It runs the
 * statements of a transaction in turn, and refuses those that come after its end.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { SqlClient } from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import type { SqlError } from "effect/sql/SqlError"
import * as Stream from "effect/Stream"
import * as StatementSpan from "../Statement/StatementSpan.ts"
import { TransactionEnded } from "./TransactionEnded.ts"
import { levelOf, Turns } from "./Turns.ts"

const isEnd = (sql: string): boolean => sql === "COMMIT" || sql === "ROLLBACK"

type Service = SqlClient["transactionService"]

class OwnConnection implements Connection {
  isReleased = false
  readonly #connection: Connection
  readonly #service: Service
  readonly #turns = new Turns()

  constructor(connection: Connection, service: Service) {
    this.#connection = connection
    this.#service = service
  }

  readonly execute: Connection["execute"] = (sql, params, transformRows) =>
    this.#run(sql, this.#connection.execute(sql, params, transformRows))

  readonly executeRaw: Connection["executeRaw"] = (sql, params) =>
    this.#run(sql, this.#connection.executeRaw(sql, params))

  readonly executeStream: Connection["executeStream"] = (sql, params, transformRows) =>
    Stream.unwrap(
      Effect.withFiber((fiber) => {
        const rows = this.#connection.executeStream(sql, params, transformRows)
        const level = levelOf(fiber, this.#service)
        return level === undefined || level[0] !== this
          ? this.#open(sql, Effect.succeed(rows))
          : Effect.as(this.#turns.hold(level, sql), rows)
      })
    )

  readonly executeUnprepared: Connection["executeUnprepared"] = (sql, params, transformRows) =>
    this.#run(sql, this.#connection.executeUnprepared(sql, params, transformRows))

  readonly executeValues: Connection["executeValues"] = (sql, params) =>
    this.#run(sql, this.#connection.executeValues(sql, params))

  readonly executeValuesUnprepared: Connection["executeValuesUnprepared"] = (sql, params) =>
    this.#run(sql, this.#connection.executeValuesUnprepared(sql, params))

  /**
   * The client begins, commits and rolls back outside the transaction's level. A
   * transaction that began elsewhere on this connection has turns of its own.
   */
  #run<A>(sql: string, statement: Effect.Effect<A, SqlError>): Effect.Effect<A, SqlError> {
    return Effect.withFiber((fiber) => {
      const level = levelOf(fiber, this.#service)
      return level === undefined || level[0] !== this
        ? this.#open(sql, isEnd(sql) ? StatementSpan.control(this, sql, statement) : statement)
        : this.#turns.run(level, sql, statement)
    })
  }

  #open<A, E>(sql: string, statement: Effect.Effect<A, E>): Effect.Effect<A, E> {
    return this.isReleased ? Effect.die(new TransactionEnded({ sql })) : statement
  }
}

/** Lends a connection until the scope closes. Its later statements die with `TransactionEnded`. */
export const acquirer = (
  acquire: Effect.Effect<Connection, SqlError, Scope.Scope>,
  service: Service
): Effect.Effect<Connection, SqlError, Scope.Scope> =>
  Effect.flatMap(acquire, (connection) =>
    Effect.acquireRelease(
      Effect.sync(() => new OwnConnection(connection, service)),
      (own) => Effect.sync(() => void (own.isReleased = true))
    )
  )
