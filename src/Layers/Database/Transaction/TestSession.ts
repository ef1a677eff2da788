/** A client all of whose connections are one session in one transaction. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Reactivity from "effect/reactivity/Reactivity"
import type * as Scope from "effect/Scope"
import type * as Semaphore from "effect/Semaphore"
import * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import type { SqlError } from "effect/sql/SqlError"
import type * as Statement from "effect/sql/Statement"
import * as Stream from "effect/Stream"
import { IsOutside } from "./Outside.ts"

/** The session. */
export interface TestSession {
  /** Whether a failed statement ends the whole transaction, as it does on PostgreSQL. */
  readonly abortsOnError: boolean
  readonly connection: Connection
  /** One isolated test at a time. */
  readonly isolation: Semaphore.Semaphore
  /** One transaction, or one statement outside of any, at a time. */
  readonly turn: Semaphore.Semaphore
}

let names = 0

/** A savepoint of this session. The names are not those of the client's own. */
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

/** Runs a part of the session and lets its failure undo that part only. */
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

/** A connection to which every statement goes through `around`. */
const through = (
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

/** What statements outside of transactions get. */
const plain = (session: TestSession): Connection => ({
  ...through(session, (_sql, statement) => guarded(session, statement)),
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

/** What a transaction gets: its own begin and end are those of a savepoint. */
const transaction = (session: TestSession): Connection => {
  const { open, release, undo } = savepoint(session)
  let isOpen = false
  const nothing = <A>(effect: Effect.Effect<void, SqlError>) =>
    // The rows of a statement that has none.
    Effect.as(effect, [] as unknown as A)
  return through(session, <A>(sql: string, statement: Effect.Effect<A, SqlError>) => {
    if (begin.test(sql)) {
      const readOnly =
        session.abortsOnError && /READ ONLY/i.test(sql)
          ? session.connection.executeUnprepared("SET TRANSACTION READ ONLY", [], undefined)
          : Effect.void
      isOpen = true
      return nothing<A>(Effect.andThen(open, Effect.asVoid(readOnly)))
    }
    // An isolation level comes before everything else, and this is in the middle.
    if (/^SET TRANSACTION ISOLATION/i.test(sql)) return nothing<A>(Effect.void)
    if (sql !== "COMMIT" && sql !== "ROLLBACK") return statement
    // After a commit that failed a rollback may follow.
    if (!isOpen) return nothing<A>(Effect.void)
    isOpen = false
    return nothing<A>(
      sql === "COMMIT" ? Effect.tapError(release, () => Effect.ignore(undo)) : Effect.ignore(undo)
    )
  })
}

/** What every statement carries, and no type says. */
interface Carried {
  readonly compiler: Statement.Compiler
  readonly transformRows: SqlClient.SqlClient.MakeOptions["transformRows"]
}

/** A client on the session that writes SQL as the given one does. */
export const client = (
  of: SqlClient.SqlClient,
  session: TestSession
): Effect.Effect<SqlClient.SqlClient, never, Reactivity.Reactivity> =>
  Effect.gen(function* () {
    const { compiler, transformRows } = of`` as unknown as Carried
    const lease = (connection: () => Connection): Effect.Effect<Connection, never, Scope.Scope> =>
      Effect.withFiber((fiber) =>
        fiber.getRef(IsOutside)
          ? // It waits for nobody: the transaction that it left waits for it.
            Effect.sync(connection)
          : Effect.map(session.turn.takeScoped(1), connection)
      )
    const derived = yield* SqlClient.make({
      acquirer: lease(() => plain(session)),
      compiler,
      driver: of.driver,
      releaseSavepoint: (name) => `RELEASE SAVEPOINT ${name}`,
      spanAttributes: [],
      transactionAcquirer: lease(() => transaction(session)),
      ...(transformRows === undefined ? {} : { transformRows })
    })
    // What the driver adds to the client, such as `json`.
    for (const [key, value] of Object.entries(of)) {
      if (!(key in derived)) Object.assign(derived, { [key]: value })
    }
    if ("notify" in of) {
      Object.assign(derived, {
        notify: (channel: string, payload: string) =>
          Effect.asVoid(derived`select pg_notify(${channel}, ${payload})`)
      })
    }
    return derived
  })

/** Runs a test in a savepoint that is rolled back. */
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
