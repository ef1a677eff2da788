/**
 * The connection of a transaction that begins with its first query.
 *
 * To the client's own `withTransaction` it is a connection like others. It
 * swallows the client's `BEGIN`, takes a connection from the pool and begins
 * when a query comes, and sends `COMMIT` or `ROLLBACK` only where it began.
 */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type * as SqlClient from "effect/sql/SqlClient"
import type { Acquirer, Connection } from "effect/sql/SqlConnection"
import type { SqlError } from "effect/sql/SqlError"
import * as Stream from "effect/Stream"
import { TransactionEnded } from "./TransactionEnded.ts"

/** What a lazy connection is made of. */
export interface Options {
  /** Takes a connection from the pool for a transaction. */
  readonly acquire: Acquirer
  /** Begins on it. */
  readonly begin: (connection: Connection) => Effect.Effect<unknown, SqlError>
  /** Runs on it after the end of a transaction that began. */
  readonly clear: ((connection: Connection) => Effect.Effect<unknown, SqlError>) | undefined
  /** Bounds the way to a begun transaction. */
  readonly opening: (
    open: Effect.Effect<Connection, SqlError>
  ) => Effect.Effect<Connection, SqlError>
  readonly service: SqlClient.SqlClient["transactionService"]
}

type Level = SqlClient.TransactionConnection.Service

type Run<A> = (connection: Connection) => Effect.Effect<A, SqlError>

/** The client's own savepoints; those that users write in SQL are statements like others. */
const savepoint = /^(RELEASE SAVEPOINT|ROLLBACK TO SAVEPOINT|SAVEPOINT) effect_sql_/

/** What a driver may look at in the result of a `COMMIT`. */
const committed = { command: "COMMIT", rows: [] }

const beginning = /^(BEGIN|START TRANSACTION)\b/i

const noRows: ReadonlyArray<never> = []

/** One transaction, used once. */
export class LazyConnection implements Connection {
  /** The first serialization failure or deadlock that a statement met. */
  conflict: SqlError | undefined
  /** Why the pool or the database was not there, or was lost; statements fail with it from then on. */
  lost: SqlError | undefined
  /**
   * What stands in the fiber's context around the client's `withTransaction`: one
   * level above the outermost, so that the client begins on this connection.
   */
  readonly outer: Level
  #begun: { readonly connection: Connection; readonly scope: Scope.Closeable } | undefined
  #ended = false
  /** Why it could not begin. */
  #failed: SqlError | undefined
  /** Whether it is for a transaction of a callback that waited for the commit. */
  readonly #isFollower: boolean
  #options: Options
  /** Fibers that wait for a statement. */
  readonly #running = new Set<Fiber.Fiber<unknown, unknown>>()
  /** Levels in which a savepoint is open, each with the end of it. */
  readonly #savepoints = new Map<Level, Deferred.Deferred<void>>()
  #started = false
  /** One statement at a time. */
  readonly #turn = Semaphore.makeUnsafe(1)

  constructor(options: Options, after?: Level) {
    this.#options = options
    this.outer = after ?? outerOf(this, options)
    this.#isFollower = after !== undefined
  }

  get ended(): boolean {
    return this.#ended
  }

  readonly execute: Connection["execute"] = (sql, params, transformRows) =>
    this.#statement(sql, noRows, (connection) => connection.execute(sql, params, transformRows))

  readonly executeRaw: Connection["executeRaw"] = (sql, params) =>
    this.#statement<unknown>(sql, committed, (connection) => connection.executeRaw(sql, params))

  readonly executeStream: Connection["executeStream"] = (sql, params, transformRows) =>
    Stream.unwrap(
      Effect.withFiber((fiber) => {
        const level = this.#levelOf(fiber)
        if (level === this.outer) {
          return Effect.map(this.#options.acquire, (connection) =>
            connection.executeStream(sql, params, transformRows)
          )
        }
        const leave = this.#enter(fiber)
        return Effect.addFinalizer(() => Effect.sync(leave)).pipe(
          Effect.andThen(this.#turnInScope(level)),
          Effect.andThen(Effect.suspend(() => this.#ready(sql))),
          Effect.map((connection) =>
            Stream.mapError(connection.executeStream(sql, params, transformRows), this.#noted)
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

  /** Gives the connection back, wherever the transaction stopped. */
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
      const kind = savepoint.exec(sql)?.[1]
      if (kind !== undefined) return this.#savepoint(kind, level, sql, nothing, run, fiber)
      const leave = this.#enter(fiber)
      const statement = Effect.suspend(() =>
        Effect.flatMap(this.#ready(sql), (connection) => this.#watched(run(connection)))
      )
      return Effect.onExitPrimitive(this.#inTurn(level, statement), () => void leave())
    })
  }

  /** Runs a statement when it is its turn, and no savepoint of a sibling would take it in. */
  #inTurn<A>(level: Level, statement: Effect.Effect<A, SqlError>): Effect.Effect<A, SqlError> {
    const turn = this.#turn.withPermit(
      Effect.suspend(() =>
        this.#savepoints.has(level) ? Effect.succeedNone : Effect.asSome(statement)
      )
    )
    return Effect.flatMap(turn, (done) =>
      done._tag === "Some"
        ? Effect.succeed(done.value)
        : Effect.andThen(this.#siblingDone(level), this.#inTurn(level, statement))
    )
  }

  /** The same for a statement that lasts as long as the scope. */
  #turnInScope(level: Level): Effect.Effect<void, never, Scope.Scope> {
    return Effect.flatMap(Effect.flatMap(Effect.scope, Scope.fork), (own) =>
      Effect.andThen(
        Scope.provide(this.#turn.takeScoped(1), own),
        Effect.suspend(() =>
          this.#savepoints.has(level)
            ? Effect.andThen(
                Scope.close(own, Exit.void),
                Effect.andThen(this.#siblingDone(level), this.#turnInScope(level))
              )
            : Effect.void
        )
      )
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
    nothing: A,
    run: Run<A>,
    fiber: Fiber.Fiber<unknown, unknown>
  ): Effect.Effect<A, SqlError> {
    const leave = this.#enter(fiber)
    const opens = kind === "SAVEPOINT"
    const statement = this.#turn.withPermit(
      Effect.suspend(() => {
        if (!opens && (this.lost !== undefined || this.#ended)) return Effect.succeed(nothing)
        if (opens) this.#savepoints.set(level, Deferred.makeUnsafe())
        return Effect.flatMap(this.#ready(sql), (connection) => this.#watched(run(connection)))
      })
    )
    return Effect.onExitPrimitive(statement, (exit) => {
      leave()
      if (kind === "RELEASE SAVEPOINT" || exit._tag === "Failure") this.#closeSavepoint(level)
      return undefined
    })
  }

  #closeSavepoint(level: Level): void {
    const open = this.#savepoints.get(level)
    this.#savepoints.delete(level)
    if (open !== undefined) Deferred.doneUnsafe(open, Exit.void)
  }

  /** Outside of every level: the client begins and ends. */
  #control<A>(
    sql: string,
    nothing: A,
    run: Run<A>,
    fiber: Fiber.Fiber<unknown, unknown>
  ): Effect.Effect<A, SqlError> {
    if (!this.#started) {
      // Not the client's word: a query that waited for the commit.
      if (!beginning.test(sql)) return Effect.scoped(Effect.flatMap(this.#options.acquire, run))
      this.#started = true
      if (this.#isFollower) {
        const begin = (connection: Connection) => connection.executeUnprepared(sql, [], undefined)
        this.#options = { ...this.#options, begin, clear: undefined }
      }
      return Effect.succeed(nothing)
    }
    if (sql === "ROLLBACK") {
      this.#ended = true
      // They would keep the connection, and the client waiting, for work that is thrown away.
      for (const other of this.#running) if (other !== fiber) other.interruptUnsafe(fiber.id)
    }
    return Effect.ensuring(
      this.#turn.withPermit(
        Effect.suspend(() => {
          this.#ended = true
          return this.#begun === undefined
            ? Effect.succeed(nothing)
            : this.#finish(sql, run(this.#begun.connection), this.#begun.connection)
        })
      ),
      this.close
    )
  }

  /** Where it cannot be committed, nothing of it may stay open on a pooled connection. */
  #finish<A>(
    sql: string,
    end: Effect.Effect<A, SqlError>,
    connection: Connection
  ): Effect.Effect<A, SqlError> {
    return Effect.tapError(this.#watched(end), () =>
      sql === "ROLLBACK" || this.lost !== undefined
        ? Effect.void
        : Effect.ignore(connection.executeUnprepared("ROLLBACK", [], undefined))
    )
  }

  /** The begun connection, or why there is none. Runs in the statement's turn. */
  #ready(sql: string): Effect.Effect<Connection, SqlError> {
    if (this.#ended) return Effect.die(new TransactionEnded({ sql }))
    const failed = this.#failed ?? this.lost
    if (failed !== undefined) return Effect.fail(failed)
    if (this.#begun !== undefined) return Effect.succeed(this.#begun.connection)
    return this.#options
      .opening(
        Effect.uninterruptibleMask((restore) => {
          const scope = Scope.makeUnsafe()
          let acquired: Connection | undefined
          return Effect.flatMap(
            restore(Scope.provide(this.#options.acquire, scope)),
            (connection) => {
              acquired = connection
              return Effect.map(restore(this.#options.begin(connection)), () => {
                this.#begun = { connection, scope }
                return connection
              })
            }
          ).pipe(
            Effect.onError((cause) =>
              Effect.andThen(
                // It may have begun all the same.
                acquired === undefined
                  ? Effect.void
                  : Effect.ignore(acquired.executeUnprepared("ROLLBACK", [], undefined)),
                Scope.close(scope, Exit.failCause(cause))
              )
            )
          )
        })
      )
      .pipe(
        Effect.mapError((error) => {
          // Whatever kept it from beginning, waiting for it once more would not be bounded.
          this.#failed = error
          return this.#noted(error)
        })
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
    const level = Context.getOrUndefined(
      fiber.context as Context.Context<SqlClient.TransactionConnection>,
      this.#options.service
    )
    return level! // the client runs statements on this connection only below `outer`
  }
}

/**
 * The client runs what waits for the commit below the same level. So that it is
 * outside of the transaction that has ended, the level then means connections of
 * their own: for a query one of the pool, for a transaction another lazy one.
 */
const outerOf = (connection: LazyConnection, options: Options): Level => {
  const outer: readonly [Connection, number] = Object.defineProperty([connection, -1] as const, 0, {
    get: () => (connection.ended ? new LazyConnection(options, outer) : connection)
  })
  return outer
}
