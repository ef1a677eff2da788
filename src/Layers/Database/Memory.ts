/** A database in memory. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as SqlClient from "effect/sql/SqlClient"
import type { DataDirectoryError } from "./Errors.ts"

/**
 * Provides a new, empty PGlite database in memory. It is a copy of a template, which
 * is built once for each version of PGlite and cached in `node_modules/.cache/flange`
 * of the project, or in the cache directory of the user.
 *
 * It runs no migrations. In a `TestApp`, leave `Database.plugin` in the list: it opens a database in
 * memory too, and migrates it.
 *
 * PGlite is PostgreSQL with one connection. A transaction waits for at most a
 * minute until the previous one has ended.
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
    // The pool connects at its first use, so creating it cannot fail.
    Effect.catchTag("SqlError", Effect.die)
  )
).pipe(Layer.provide(Reactivity.layer))
