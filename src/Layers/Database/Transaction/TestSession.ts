/** The client of a `TestDatabase`: all its connections share one session, in one transaction. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Reactivity from "effect/reactivity/Reactivity"
import type * as Scope from "effect/Scope"
import type * as Semaphore from "effect/Semaphore"
import type * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import type { SqlError } from "effect/sql/SqlError"
import * as Stream from "effect/Stream"
import * as Client from "../Client.ts"
import { partsOf } from "../Statement/StatementInternals.ts"
import { IsOutside } from "./Outside.ts"

/** The shared session. */
export interface TestSession {
  /** Whether a failed statement aborts the whole transaction, as on PostgreSQL. */
  readonly abortsOnError: boolean
  readonly connection: Connection
  /** Lets one isolated test run at a time. */
  readonly isolation: Semaphore.Semaphore
  /** Lets one transaction, or one statement outside a transaction, run at a time. */
  readonly turn: Semaphore.Semaphore
}

let names = 0

/** Creates a savepoint. Its name differs from those of the client. */
const savepoint = ({ connection }: Pick<TestSession, "connection">) => {
  const name = `flange_test_${names++}`
  const control = (sql: string): Effect.Effect<void, SqlError> =>
    Effect.asVoid(connection.executeUnprepared(`${sql} ${name}`, [], undefined))
  const release = control("RELEASE SAVEPOINT")
  return {
    open: control("SAVEPOINT"),
    release,
    undo: Effect.andThen(control("ROLLBACK TO SAVEPOINT"), release)
  }
}

/** Runs a statement in a savepoint, so that its failure does not abort the transaction. */
const guarded = <A>(
  session: TestSession,
  statement: Effect.Effect<A, SqlError>
): Effect.Effect<A, SqlError> => {
  if (!session.abortsOnError) return statement
  return Effect.uninterruptibleMask((restore) => {
    const { open, release, undo } = savepoint(session)
    return Effect.andThen(
      open,
      Effect.onExit(restore(statement), (exit) => (Exit.isSuccess(exit) ? release : undo))
    )
  })
}

/** Creates a connection that passes each of its statements to `around`. */
const intercepted = (
  { connection }: Pick<TestSession, "connection">,
  around: <A>(sql: string, statement: Effect.Effect<A, SqlError>) => Effect.Effect<A, SqlError>
): Connection => ({
  execute: (sql, params, transformRows) =>
    around(sql, connection.execute(sql, params, transformRows)),
  executeRaw: (sql, params) => around(sql, connection.executeRaw(sql, params)),
  executeStream: connection.executeStream,
  executeUnprepared: (sql, params, transformRows) =>
    around(sql, connection.executeUnprepared(sql, params, transformRows)),
  executeValues: (sql, params) => around(sql, connection.executeValues(sql, params)),
  executeValuesUnprepared: (sql, params) =>
    around(sql, connection.executeValuesUnprepared(sql, params))
})

/** Creates the connection of statements outside a transaction. */
const single = (session: TestSession): Connection => ({
  ...intercepted(session, (_sql, statement) => guarded(session, statement)),
  executeStream: (sql, params, transformRows) => {
    const rows = session.connection.executeStream(sql, params, transformRows)
    if (!session.abortsOnError) return rows
    const { open, release, undo } = savepoint(session)
    return Stream.unwrap(
      Effect.as(
        Effect.acquireRelease(open, (_, exit) =>
          Effect.ignore(Exit.isSuccess(exit) ? release : undo)
        ),
        rows
      )
    )
  }
})

const begin = /^(BEGIN|START TRANSACTION)\b/i

/**
 * Creates the connection of a transaction, whose begin and end are replaced by those
 * of a savepoint.
 */
const transaction = (session: TestSession): Connection => {
  const { open, release, undo } = savepoint(session)
  let isOpen = false
  const nothing = <A>(effect: Effect.Effect<void, SqlError>) =>
    // A statement without rows: callers expect an empty array.
    Effect.as(effect, [] as unknown as A)
  return intercepted(session, <A>(sql: string, statement: Effect.Effect<A, SqlError>) => {
    if (begin.test(sql)) {
      const readOnly =
        session.abortsOnError && /READ ONLY/i.test(sql)
          ? session.connection.executeUnprepared("SET TRANSACTION READ ONLY", [], undefined)
          : Effect.void
      isOpen = true
      return nothing<A>(Effect.andThen(open, Effect.asVoid(readOnly)))
    }
    // A transaction that has begun cannot change its isolation level.
    if (/^SET TRANSACTION ISOLATION/i.test(sql)) return nothing<A>(Effect.void)
    if (sql !== "COMMIT" && sql !== "ROLLBACK") return statement
    // The client may roll back after a failed commit.
    if (!isOpen) return nothing<A>(Effect.void)
    isOpen = false
    return nothing<A>(
      sql === "COMMIT" ? Effect.tapError(release, () => Effect.ignore(undo)) : Effect.ignore(undo)
    )
  })
}

/** Creates a client on the session, with the SQL dialect of `original`. */
export const client = (
  original: SqlClient.SqlClient,
  session: TestSession
): Effect.Effect<SqlClient.SqlClient, never, Reactivity.Reactivity> =>
  Effect.gen(function* () {
    const { compiler, spanAttributes, transformRows } = partsOf(original)
    const lease = (connection: () => Connection): Effect.Effect<Connection, never, Scope.Scope> =>
      Effect.withFiber((fiber) =>
        fiber.getRef(IsOutside)
          ? // It must not wait: the transaction around it waits for it.
            Effect.sync(connection)
          : Effect.map(session.turn.takeScoped(1), connection)
      )
    const transactionAcquirer = lease(() => transaction(session))
    const derived = yield* Client.make({
      acquirer: lease(() => single(session)),
      cleanAcquirer: transactionAcquirer,
      comments: false,
      compiler,
      driver: original.driver,
      lazyAcquirer: transactionAcquirer,
      releaseSavepoint: (name) => `RELEASE SAVEPOINT ${name}`,
      spanAttributes,
      transactionAcquirer,
      ...(transformRows === undefined ? {} : { transformRows })
    })
    // Copies the methods that a driver adds, such as `json`.
    for (const [key, value] of Object.entries(original)) {
      if (!(key in derived)) Object.assign(derived, { [key]: value })
    }
    if ("notify" in original) {
      Object.assign(derived, {
        notify: (channel: string, payload: string) =>
          Effect.asVoid(derived`select pg_notify(${channel}, ${payload})`)
      })
    }
    return derived
  })

/** Runs a test in a savepoint, and rolls it back. */
export const isolated = <A, E, R>(
  session: TestSession,
  test: Effect.Effect<A, E, R>
): Effect.Effect<A, E | SqlError, R> =>
  session.isolation.withPermit(
    Effect.acquireUseRelease(
      Effect.suspend(() => {
        const { open, undo } = savepoint(session)
        return Effect.as(session.turn.withPermit(open), undo)
      }),
      () => test,
      (undo) => session.turn.withPermit(undo)
    )
  )
