/**
 * A database that forgets what a test did: everything happens in one transaction
 * that is rolled back, and the app's own transactions are savepoints in it.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as Semaphore from "effect/Semaphore"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as TestSession from "./Transaction/TestSession.ts"

const sessions = new WeakMap<SqlClient.SqlClient, TestSession.TestSession>()

const make = (client: SqlClient.SqlClient) =>
  Effect.gen(function* () {
    const connection = yield* client.reserve
    const control = (sql: string) => connection.executeUnprepared(sql, [], undefined)
    yield* Effect.acquireRelease(control("BEGIN"), () => Effect.ignore(control("ROLLBACK")))
    const session: TestSession.TestSession = {
      abortsOnError: client.onDialectOrElse({ orElse: () => false, pg: () => true }),
      connection,
      isolation: Semaphore.makeUnsafe(1),
      turn: Semaphore.makeUnsafe(1)
    }
    const derived = yield* TestSession.client(client, session)
    sessions.set(derived, session)
    return derived
  })

/**
 * The layer with its database in a transaction that is rolled back when the layer
 * is closed: with the app, where it replaces the layer of `Database.plugin`.
 *
 * - What the app queries outside of a transaction, what it commits, and what the
 *   test queries through the app's `SqlClient` is in it; nothing is outside.
 * - The app's transactions are savepoints, one after another, as on a pool with
 *   one connection. Read-only ones refuse writes on PostgreSQL; isolation levels
 *   have no meaning there and are not set. What waits for a commit
 *   (`sql.afterCommit`) runs as it does in production.
 * - A failed query outside of a transaction leaves no trace, as in production.
 * - `Database.outsideTransaction` joins the transaction it is called in, and so
 *   shares its rollback.
 * - On MySQL a statement that commits by itself, such as `create table`, ends the
 *   transaction: make the schema before, with migrations.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as SqlClient from "effect/sql/SqlClient"
 * import { App } from "flange"
 * import * as Database from "flange/Database"
 * import { TestDatabase } from "flange/Database/Testing"
 * import { TestApp } from "flange/Testing"
 *
 * const app = App.make("shop", [Database.plugin])
 * const test = Effect.gen(function*() {
 *   const shop = yield* TestApp.make(app, {
 *     replace: [[Database.plugin, TestDatabase.rolledBack(Database.layerMemory)]]
 *   })
 *   const sql = yield* shop.run(SqlClient.SqlClient)
 *   yield* sql`create table items (id text)`
 *   return yield* sql`select count(*)::integer as items from items`
 * })
 * await Effect.runPromise(Effect.scoped(test)) // => [{ items: 0 }]
 * ```
 */
export const rolledBack = <P, E, R>(
  layer: Layer.Layer<P | SqlClient.SqlClient, E, R>
): Layer.Layer<P | SqlClient.SqlClient, E | SqlError, R> =>
  Layer.flatMap(layer, (services) =>
    Layer.effectContext(
      Effect.map(make(Context.get(services, SqlClient.SqlClient)), (derived) => {
        const client = Context.get(services, SqlClient.SqlClient)
        // A driver's own service is the same client under another key.
        const replaced = [...services.mapUnsafe].map(
          ([key, service]) => [key, service === client ? derived : service] as const
        )
        return Context.makeUnsafe<P | SqlClient.SqlClient>(new Map(replaced))
      })
    )
  ).pipe(Layer.provide(Reactivity.layer))

const unsupported =
  "TestDatabase.isolated needs the SqlClient of TestDatabase.rolledBack: give the app " +
  "`replace: [[Database.plugin, TestDatabase.rolledBack(...)]]`, and run the test with the app's services (`app.run`)."

/**
 * Runs one test of an app that several tests share, and rolls back what it did:
 * `app.run(TestDatabase.isolated(test))`. Tests run one after another. Dies where
 * the client is not that of `rolledBack`.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as SqlClient from "effect/sql/SqlClient"
 * import * as Database from "flange/Database"
 * import { TestDatabase } from "flange/Database/Testing"
 *
 * const tests = Effect.gen(function*() {
 *   const sql = yield* SqlClient.SqlClient
 *   yield* sql`create table items (id text)`
 *   yield* TestDatabase.isolated(sql`insert into items values ('a')`)
 *   return yield* sql`select * from items`
 * })
 * const layer = TestDatabase.rolledBack(Database.layerMemory)
 * await Effect.runPromise(Effect.provide(tests, layer)) // => []
 * ```
 */
export const isolated = <A, E, R>(
  test: Effect.Effect<A, E, R>
): Effect.Effect<A, E | SqlError, R | SqlClient.SqlClient> =>
  Effect.flatMap(SqlClient.SqlClient, (client) => {
    const session = sessions.get(client)
    return session === undefined
      ? Effect.die(new Error(unsupported))
      : TestSession.isolated(session, test)
  })
