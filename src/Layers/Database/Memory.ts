/** A database for tests. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as SqlClient from "effect/sql/SqlClient"
import type { DataDirectoryError } from "./Errors.ts"

/**
 * A new, empty PGlite database in memory. Opens in less than half a second:
 * what a new database consists of is built once for each version of PGlite and
 * kept in `node_modules/.cache/flange`.
 *
 * It is PostgreSQL with one connection. A transaction waits for the one before
 * it, up to a minute.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as SqlClient from "effect/sql/SqlClient"
 * import * as Database from "flange/Database"
 *
 * const program = Effect.gen(function* () {
 *   const sql = yield* SqlClient.SqlClient
 *   yield* sql`create table items (id text primary key)`
 *   yield* sql`insert into items ${sql.insert([{ id: "a" }, { id: "b" }])}`
 *   return yield* sql<{ id: string }>`select id from items where id in ${sql.in(["b", "c"])}`
 * })
 *
 * await Effect.runPromise(Effect.provide(program, Database.layerMemory)) // => [{ id: "b" }]
 * ```
 */
export const layerMemory: Layer.Layer<SqlClient.SqlClient, DataDirectoryError> = Layer.effect(
  SqlClient.SqlClient,
  Effect.gen(function* () {
    const Pglite = yield* Effect.promise(() => import("./Pglite/Pglite.ts"))
    return yield* Pglite.make(
      { _tag: "Embedded", directory: undefined },
      { acquireTimeout: Duration.minutes(1) }
    )
  }).pipe(
    // The pool connects when it is used, so that making it cannot fail.
    Effect.catchTag("SqlError", Effect.die)
  )
).pipe(Layer.provide(Reactivity.layer))
