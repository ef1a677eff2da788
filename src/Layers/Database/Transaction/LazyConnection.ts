/**
 * The connection of a transaction that begins with its first query.
 *
 * The client's `withTransaction` uses it like any other connection. It drops the
 * client's `BEGIN`. At the first query it takes a connection from the pool and
 * begins. It sends `COMMIT` or `ROLLBACK` only if it has begun.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import type * as SqlClient from "effect/sql/SqlClient"
import type { Acquirer, Connection } from "effect/sql/SqlConnection"
import type { SqlError } from "effect/sql/SqlError"
import * as Stream from "effect/Stream"
import * as Deadline from "../../../Plugin/Deadline.ts"
import { unlisted } from "../../../Server/EffectInternals.ts"
import * as StatementSpan from "../Statement/StatementSpan.ts"
import { TransactionEnded } from "./TransactionEnded.ts"
import { endsSavepoint, type Level, levelOf, Turns } from "./Turns.ts"

/** Begins a transaction on a connection and runs its first statement. */
export type Begin = <A>(
  connection: Connection,
  statement: Effect.Effect<A, SqlError>,
  progress: Progress
) => Effect.Effect<A, SqlError>

/** How far the beginning of a transaction is. */
export interface Progress {
  /** Call it when the transaction has begun, before the first statement runs. */
  readonly begun: () => void
  /** Call it if the first statement failed before anything was sent. */
  readonly unsent: () => void
}

/** The parts of a lazy connection. */
export interface Options {
  /** Takes a connection from the pool for a transaction. */
  readonly acquire: Acquirer
  readonly begin: Begin
  /** Runs on that connection after the transaction has ended. */
  readonly clear: ((connection: Connection) => Effect.Effect<unknown, SqlError>) | undefined
  /**
   * Runs `open`, again on another connection if this one is broken and the transaction has not
   * begun.
   */
  readonly opening: <A>(
    open: Effect.Effect<A, SqlError>,
    hasBegun: () => boolean
  ) => Effect.Effect<A, SqlError>
  /** Commits on a connection without waiting. Returns false if the answer must be waited for. */
  readonly sendCommit: (connection: Connection) => boolean
  readonly service: SqlClient.SqlClient["transactionService"]
}

type Run<A> = (connection: Connection) => Effect.Effect<A, SqlError>

/** The result of a dropped `COMMIT`: the parts of it that a driver may read. */
const committed = { command: "COMMIT", rows: [] }

const noRows: ReadonlyArray<never> = []

/** The connection of one transaction. */
export class LazyConnection implements Connection {
  /** The first serialization failure or deadlock of a statement. */
  conflict: SqlError | undefined
  /** The first connection error. All later statements fail with it. */
  lost: SqlError | undefined
  /**
   * The transaction level to provide around the client's `withTransaction`. It is one
   * level above the outermost, so that the client begins on this connection.
   */
  readonly outer: Level
  #begun: { readonly connection: Connection; readonly scope: Scope.Closeable } | undefined
  #ended = false
  /** The error with which beginning failed. */
  #failed: SqlError | undefined
  readonly #options: Options
  /** The fibers that run a statement or wait for their turn. */
  readonly #running = new Set<Fiber.Fiber<unknown, unknown>>()
  #started = false
  readonly #turns = new Turns()

  constructor(options: Options) {
    this.#options = options
    this.outer = [this, -1]
  }

  readonly execute: Connection["execute"] = (sql, params, transformRows) =>
    this.#statement(sql, noRows, (connection) => connection.execute(sql, params, transformRows))

  readonly executeRaw: Connection["executeRaw"] = (sql, params) =>
    this.#statement<unknown>(sql, committed, (connection) => connection.executeRaw(sql, params))

  readonly executeStream: Connection["executeStream"] = (sql, params, transformRows) =>
    Stream.unwrap(
      Effect.withFiber((fiber) => {
        const level = this.#levelOf(fiber)
        const leave = this.#enter(fiber)
        return Effect.addFinalizer(() => Effect.sync(leave)).pipe(
          Effect.andThen(this.#turns.hold(level, sql)),
          Effect.andThen(Effect.suspend(() => this.#run(sql, this.#nothing))),
          Effect.map(() =>
            Stream.mapError(
              this.#begun!.connection.executeStream(sql, params, transformRows), // begun above
              this.#noted
            )
          )
        )
      })
    )

  readonly executeUnprepared: Connection["executeUnprepared"] = (sql, params, transformRows) =>
    this.#statement(sql, noRows, (connection) =>
      connection.executeUnprepared(sql, params, transformRows)
    )

  readonly executeValues: Connection["executeValues"] = (sql, params) =>
    this.#statement(sql, noRows, (connection) => connection.executeValues(sql, params))

  readonly executeValuesUnprepared: Connection["executeValuesUnprepared"] = (sql, params) =>
    this.#statement(sql, noRows, (connection) => connection.executeValuesUnprepared(sql, params))

  /** Returns the connection to the pool, even if the transaction was not ended. */
  readonly close: Effect.Effect<void> = Effect.suspend(() => {
    this.#ended = true
    const begun = this.#begun
    this.#begun = undefined
    if (begun === undefined) return Effect.void
    const { clear } = this.#options
    return Effect.andThen(
      clear === undefined || this.lost !== undefined
        ? Effect.void
        : Effect.ignore(clear(begun.connection)),
      Scope.close(begun.scope, Exit.void)
    )
  })

  #statement<A>(sql: string, nothing: A, run: Run<A>): Effect.Effect<A, SqlError> {
    return Effect.withFiber((fiber) => {
      const level = this.#levelOf(fiber)
      if (level === this.outer) return this.#control(sql, nothing, run, fiber)
      const leave = this.#enter(fiber)
      const statement = Effect.suspend(() =>
        // A savepoint has ended with its transaction.
        endsSavepoint(sql) && (this.lost !== undefined || this.#ended)
          ? Effect.succeed(nothing)
          : this.#run(sql, run)
      )
      return Effect.onExitPrimitive(this.#turns.run(level, sql, statement), () => void leave())
    })
  }

  /** Runs a statement of the outer level: the client's `BEGIN`, `COMMIT` or `ROLLBACK`. */
  #control<A>(
    sql: string,
    nothing: A,
    run: Run<A>,
    fiber: Fiber.Fiber<unknown, unknown>
  ): Effect.Effect<A, SqlError> {
    if (!this.#started) {
      // The client begins first.
      this.#started = true
      return Effect.succeed(nothing)
    }
    if (sql === "ROLLBACK") {
      this.#ended = true
      // Their work is discarded, and the rollback would have to wait for them.
      for (const other of this.#running) if (other !== fiber) other.interruptUnsafe(fiber.id)
    }
    return Effect.ensuring(
      this.#turns.alone(
        Effect.suspend(() => {
          this.#ended = true
          if (this.#begun === undefined) return Effect.succeed(nothing)
          const { connection } = this.#begun
          return sql === "COMMIT" && this.#options.sendCommit(connection)
            ? Effect.succeed(nothing)
            : this.#finish(sql, StatementSpan.control(this, sql, run(connection)), connection)
        })
      ),
      this.close
    )
  }

  /**
   * Ends the transaction. If the commit fails, rolls back: no transaction may stay
   * open in the pool.
   */
  #finish<A>(
    sql: string,
    end: Effect.Effect<A, SqlError>,
    connection: Connection
  ): Effect.Effect<A, SqlError> {
    return Effect.tapError(Deadline.during("SQL", this.#watched(end)), () =>
      sql === "ROLLBACK" || this.lost !== undefined
        ? Effect.void
        : Effect.ignore(connection.executeUnprepared("ROLLBACK", [], undefined))
    )
  }

  /** Runs a statement, and begins before it if the transaction has not begun yet. */
  #run<A>(sql: string, run: Run<A>): Effect.Effect<A, SqlError> {
    if (this.#ended) return Effect.die(new TransactionEnded({ sql }))
    const failed = this.#failed ?? this.lost
    if (failed !== undefined) return Effect.fail(failed)
    return this.#watched(this.#begun === undefined ? this.#first(run) : run(this.#begun.connection))
  }

  /** Lets a transaction begin before a stream. PostgreSQL accepts the empty statement. */
  readonly #nothing: Run<unknown> = (connection) =>
    this.#begun === undefined ? connection.executeUnprepared("", [], undefined) : Effect.void

  /** Takes a connection, begins, and runs the first statement. */
  #first<A>(run: Run<A>): Effect.Effect<A, SqlError> {
    const { acquire, begin, opening } = this.#options
    let isUnsent = false
    const open = Effect.uninterruptibleMask((restore) => {
      const scope = Scope.makeUnsafe()
      let acquired: Connection | undefined
      // Whether a rollback has not come before the transaction has begun.
      let isCurrent = true
      isUnsent = false
      const progress: Progress = {
        begun: () => {
          if (isCurrent) this.#begun = { connection: acquired!, scope } // begins on it
        },
        unsent: () => void (isUnsent = true)
      }
      return Effect.flatMap(
        restore(StatementSpan.waitingInside(unlisted(Scope.provide(acquire, scope)))),
        (connection) => {
          acquired = connection
          return restore(
            begin(
              connection,
              Effect.suspend(() => run(connection)),
              progress
            )
          )
        }
      ).pipe(
        Effect.onError((cause) => {
          if (this.#begun !== undefined) return Effect.void
          isCurrent = false
          return Effect.andThen(
            // The database may have begun before the error.
            acquired === undefined || isUnsent
              ? Effect.void
              : Effect.ignore(acquired.executeUnprepared("ROLLBACK", [], undefined)),
            Scope.close(scope, Exit.failCause(cause))
          )
        })
      )
    })
    return Effect.mapError(
      opening(open, () => this.#begun !== undefined),
      (error) => {
        // Later statements fail at once: each further attempt could take as long again.
        if (this.#begun === undefined && !isUnsent) this.#failed = error
        return error
      }
    )
  }

  #watched<A>(effect: Effect.Effect<A, SqlError>): Effect.Effect<A, SqlError> {
    return Effect.mapError(effect, this.#noted)
  }

  readonly #noted = (error: SqlError): SqlError => {
    switch (error.reason._tag) {
      case "ConnectionError":
        this.lost ??= error
        break
      case "DeadlockError":
      case "SerializationError":
        this.conflict ??= error
        break
    }
    return error
  }

  #enter(fiber: Fiber.Fiber<unknown, unknown>): () => void {
    this.#running.add(fiber)
    return () => this.#running.delete(fiber)
  }

  #levelOf(fiber: Fiber.Fiber<unknown, unknown>): Level {
    return levelOf(fiber, this.#options.service)! // the client runs statements on this connection only within `outer`
  }
}
