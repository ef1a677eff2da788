// What migrations promise, on every database.
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as SqlClient from "effect/sql/SqlClient"
import { expect } from "vitest"
import { run } from "../../../../src/Layers/Database/Migration/Migrations.ts"
import { type Backend, open } from "../backends.ts"
import { applied, checkOn, codeMigration, directoryOf, files, migrate } from "./rig.ts"

export const migrationConformance = (backend: Backend): void => {
  const mysql = backend.kind === "mysql"

  const check = checkOn(backend)

  const first = {
    "0001_items.sql":
      "create table items (id integer primary key, name varchar(50));\n-- two rows; one statement\ninsert into items values (1, 'a;b'), (2, 'it''s');\n"
  }

  check("are applied in order, once, and recorded", (sql) =>
    Effect.gen(function* () {
      const directory = yield* directoryOf({
        ...first,
        "0002_more.ts": codeMigration("yield* sql`insert into items values (3, 'c')`"),
        "10_last.sql": "insert into items values (4, 'd')",
        "README.md": "not a migration"
      })
      const names = ["0001_items.sql", "0002_more.ts", "10_last.sql"]
      expect(yield* migrate(sql, directory)).toEqual(names)
      expect(yield* applied(sql)).toEqual(names)
      expect(yield* sql`select name from items order by id`).toEqual(
        ["a;b", "it's", "c", "d"].map((name) => ({ name }))
      )
      expect(yield* migrate(sql, directory)).toEqual([])
      yield* files(directory, { "11_after.sql": "insert into items values (5, 'e')" })
      expect(yield* migrate(sql, directory)).toEqual(["11_after.sql"])
    })
  )

  check("nothing to do is nothing done: no file, no table", (sql) =>
    Effect.gen(function* () {
      expect(yield* migrate(sql, yield* directoryOf({}))).toEqual([])
      const exit = yield* Effect.exit(applied(sql))
      expect(exit._tag).toBe("Failure")
    })
  )

  check("a file edited after it was applied is an error that names it", (sql) =>
    Effect.gen(function* () {
      const directory = yield* directoryOf(first)
      yield* migrate(sql, directory)
      yield* files(directory, {
        "0001_items.sql": `${first["0001_items.sql"]}-- edited`,
        "0002_new.sql": "insert into items values (9, 'z')"
      })
      const error = yield* Effect.flip(migrate(sql, directory))
      expect(error).toMatchObject({ migration: "0001_items.sql", problem: "changed" })
      expect(yield* applied(sql)).toEqual(["0001_items.sql"])
    })
  )

  check("other line ends are not an edit", (sql) =>
    Effect.gen(function* () {
      const directory = yield* directoryOf(first)
      yield* migrate(sql, directory)
      yield* files(directory, {
        "0001_items.sql": first["0001_items.sql"].replaceAll("\n", "\r\n")
      })
      expect(yield* migrate(sql, directory)).toEqual([])
    })
  )

  check("a late lower number is an error that names both", (sql) =>
    Effect.gen(function* () {
      const directory = yield* directoryOf({ ...first, "0003_third.sql": "select 3" })
      yield* migrate(sql, directory)
      yield* files(directory, { "0002_late.sql": "select 2" })
      const error = yield* Effect.flip(migrate(sql, directory))
      expect(error).toMatchObject({ migration: "0002_late.sql", problem: "late" })
      expect(error.message).toContain("0003_third.sql")
      expect(yield* migrate(sql, directory, { allow: ["late"] })).toEqual(["0002_late.sql"])
      expect(yield* migrate(sql, directory)).toEqual([])
    })
  )

  check("an applied migration without a file is an error, unless that is allowed", (sql) =>
    Effect.gen(function* () {
      const directory = yield* directoryOf({ ...first, "0002_newer.sql": "select 2" })
      yield* migrate(sql, directory)
      for (const older of [yield* directoryOf(first), yield* directoryOf({})]) {
        const error = yield* Effect.flip(migrate(sql, older))
        expect(error).toMatchObject({ problem: "missing" })
        expect(error.message).toContain('allow "missing" in database.allowMigrations')
        expect(yield* migrate(sql, older, { allow: ["missing"] })).toEqual([])
      }
    })
  )

  check("two files with one number, and names that are not understood, are errors", (sql) =>
    Effect.gen(function* () {
      const twins = yield* directoryOf({ ...first, "0001_other.sql": "select 1" })
      expect(yield* Effect.flip(migrate(sql, twins))).toMatchObject({ problem: "duplicate" })
      const odd = yield* directoryOf({ "0001.sql": "select 1" })
      expect(yield* Effect.flip(migrate(sql, odd))).toMatchObject({
        migration: "0001.sql",
        problem: "invalid"
      })
      const notEffect = yield* directoryOf({ "0001_a.ts": "export default 5" })
      expect(yield* Effect.flip(migrate(sql, notEffect))).toMatchObject({ problem: "invalid" })
    })
  )

  check("of several directories are one list, and a directory counts once", (sql) =>
    Effect.gen(function* () {
      const one = yield* directoryOf({ ...first, "0003_third.sql": "select 3" })
      const two = yield* directoryOf({ "0002_second.sql": "select 2" })
      const migrated = run({ directories: [one, pathToFileURL(`${two}/`), pathToFileURL(one)] })
      expect(yield* Effect.provideService(migrated, SqlClient.SqlClient, sql)).toEqual([
        "0001_items.sql",
        "0002_second.sql",
        "0003_third.sql"
      ])
    })
  )

  check("one number in two directories, and a URL of no directory, are errors", (sql) =>
    Effect.gen(function* () {
      const one = yield* directoryOf(first)
      const two = yield* directoryOf(first)
      const failure = (directories: ReadonlyArray<string | URL>) =>
        Effect.flip(Effect.provideService(run({ directories }), SqlClient.SqlClient, sql))
      const twins = yield* failure([one, two])
      expect(twins).toMatchObject({ migration: "0001_items.sql", problem: "duplicate" })
      expect(twins.message).toContain(join(two, "0001_items.sql"))
      const remote = yield* failure([new URL("https://example.com/migrations")])
      expect(remote).toMatchObject({
        migration: "https://example.com/migrations",
        problem: "invalid"
      })
      expect(remote.message).toContain("import.meta.url")
    })
  )

  check("a failing migration names the statement, and leaves those before it applied", (sql) =>
    Effect.gen(function* () {
      const directory = yield* directoryOf({
        ...first,
        "0002_bad.sql": "insert into items values (7, 'x');\n\ninsert into nowhere values (1);"
      })
      const error = yield* Effect.flip(migrate(sql, directory))
      expect(error).toMatchObject({ migration: "0002_bad.sql", problem: "failed" })
      expect(error.message).toContain("statement 2 of 2, line 3")
      expect(error.message).toContain("nowhere")
      expect(yield* applied(sql)).toEqual(["0001_items.sql"])
      expect(yield* sql`select * from items where id = 7`).toEqual([])
    })
  )

  check("a failing .ts migration leaves nothing of itself", (sql) =>
    Effect.gen(function* () {
      const directory = yield* directoryOf({
        ...first,
        "0002_bad.ts": codeMigration(
          "yield* sql`insert into items values (7, 'x')`\n  yield* Effect.fail(new Error(\"not today\"))"
        )
      })
      const error = yield* Effect.flip(migrate(sql, directory))
      expect(error).toMatchObject({ migration: "0002_bad.ts", problem: "failed" })
      expect(error.message).toContain("not today")
      expect(yield* sql`select * from items where id = 7`).toEqual([])
    })
  )

  check("a statement that ends the transaction is refused", (sql) =>
    Effect.gen(function* () {
      const directory = yield* directoryOf({ ...first, "0002_own.sql": "select 1;\nCOMMIT;" })
      const error = yield* Effect.flip(migrate(sql, directory))
      expect(error).toMatchObject({ migration: "0002_own.sql", problem: "invalid" })
      expect(error.message).toContain("line 2")
    })
  )

  check("a migration can opt out of its transaction", (sql) =>
    Effect.gen(function* () {
      const concurrently = mysql ? "" : "concurrently"
      const directory = yield* directoryOf({
        ...first,
        "0002_index.sql": `-- flange: no transaction\ncreate index ${concurrently} items_name on items (name);\ninsert into items values (8, 'h');`,
        "0003_code.ts": codeMigration(
          mysql
            ? "yield* sql`optimize table items`"
            : "yield* sql`create index concurrently items_id on items (id)`",
          false
        )
      })
      expect(yield* migrate(sql, directory)).toHaveLength(3)
      expect(yield* sql`select name from items where id = 8`).toEqual([{ name: "h" }])
    })
  )

  check("processes that start together apply each migration once", (sql, url) =>
    Effect.gen(function* () {
      const concurrently = mysql ? "" : "concurrently"
      const directory = yield* directoryOf({
        ...first,
        "0002_index.sql": `-- flange: no transaction\ncreate index ${concurrently} items_name on items (name)`,
        "0003_rows.sql": "insert into items values (3, 'c')"
      })
      // PGlite has one process, so that its rivals share the client.
      const rivals = yield* Effect.forEach(Array.from({ length: 4 }), () =>
        backend.kind === "pglite" ? Effect.succeed(sql) : open(url, { maxConnections: 3 })
      )
      const results = yield* Effect.forEach(rivals, (rival) => migrate(rival, directory), {
        concurrency: "unbounded"
      })
      expect(results.flat()).toHaveLength(3)
      expect(yield* applied(sql)).toHaveLength(3)
    })
  )

  check("progress is logged", (sql) =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const logger = Logger.make(({ message }) => void lines.push(String(message)))
      const directory = yield* directoryOf(first)
      yield* Effect.provide(migrate(sql, directory), Logger.layer([logger]))
      expect(lines.map((line) => line.replace(/\d+ ms/, "N ms"))).toEqual([
        "Migration 0001_items.sql (1 of 1): running",
        "Migration 0001_items.sql (1 of 1): applied in N ms"
      ])
    })
  )
}
