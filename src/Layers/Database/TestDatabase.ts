/**
 * A database for tests that rolls back all changes. The queries of a test run in one
 * transaction, and the transactions of the app are savepoints in it.
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
 * Returns the layer with its database in a transaction, which is rolled back when the
 * layer is released. Use it with `replace` in the place of `Database.plugin`: the
 * rollback then comes when the app stops.
 *
 * - The transaction contains every query of the app, and every query of the test
 *   through the `SqlClient` of the app.
 * - The transactions of the app are savepoints. They run one after another, as on a
 *   pool with one connection. Read-only ones refuse writes on PostgreSQL. Isolation
 *   levels are not set. Callbacks of `sql.afterCommit` run as in production.
 * - A failed query outside a transaction of the app changes nothing, as in production.
 * - `Database.outsideTransaction` stays inside the surrounding transaction, and is
 *   rolled back with it.
 * - On MySQL a statement that commits implicitly, such as `create table`, ends the
 *   transaction. Create the tables before, with migrations.
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
        // The service of a driver is the same client under another key.
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
 * Runs one test of an app that several tests share, and rolls back its changes:
 * `app.run(TestDatabase.isolated(test))`. Tests run one after another. Dies if the
 * client is not that of `rolledBack`.
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
