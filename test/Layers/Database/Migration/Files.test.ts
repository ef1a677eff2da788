// What counts as the same file, what is no migration, and what is refused before anything runs.
import { mkdir, rename, rm } from "node:fs/promises"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as SqlClient from "effect/sql/SqlClient"
import { expect } from "vitest"
import * as Migrations from "../../../../src/Layers/Database/Migration/Migrations.ts"
import { all, onEach, pglite, postgres } from "../backends.ts"
import { applied, checkOn, codeMigration, directoryOf, files, migrate } from "./rig.ts"

const table = "create table items (id integer);\ninsert into items values (1);\n"

onEach(all, "The files of migrations", (backend) => {
  const check = checkOn(backend)

  check("may have numbers of 63 bits, and larger ones are refused before anything runs", (sql) =>
    Effect.gen(function* () {
      const largest = "9223372036854775807_last.sql"
      const directory = yield* directoryOf({
        "20240310123000_items.sql": table,
        [largest]: "insert into items values (2)"
      })
      const names = ["20240310123000_items.sql", largest]
      yield* files(directory, { "9223372036854775808_over.sql": "select 1" })
      const error = yield* Effect.flip(migrate(sql, directory))
      expect(error).toMatchObject({ migration: "9223372036854775808_over.sql", problem: "invalid" })
      expect((yield* Effect.exit(sql`select * from items`))._tag).toBe("Failure")
      yield* Effect.promise(() => rm(join(directory, "9223372036854775808_over.sql")))
      expect(yield* migrate(sql, directory)).toEqual(names)
      expect(yield* applied(sql)).toEqual(names)
      expect(yield* migrate(sql, directory)).toEqual([])
    })
  )

  check("continue on a table with numbers of 32 bits", (sql) =>
    Effect.gen(function* () {
      const directory = yield* directoryOf({ "0001_items.sql": table })
      yield* migrate(sql, directory)
      yield* sql.onDialectOrElse({
        mysql: () => sql`alter table flange_migrations modify id integer not null`,
        orElse: () => sql`alter table flange_migrations alter column id type integer`
      })
      expect(yield* migrate(sql, directory)).toEqual([])
      yield* files(directory, { "20240310123000_more.sql": "insert into items values (2)" })
      expect(yield* migrate(sql, directory)).toEqual(["20240310123000_more.sql"])
      expect(yield* migrate(sql, directory)).toEqual([])
    })
  )

  check(
    "are the same with a byte order mark, other line ends and other empty lines at the end",
    (sql) =>
      Effect.gen(function* () {
        const text = `-- flange: no transaction\n${table}`
        const directory = yield* directoryOf({ "0001_items.sql": text })
        expect(yield* migrate(sql, directory)).toHaveLength(1)
        for (const same of [
          `\uFEFF${text}`,
          text.replaceAll("\n", "\r\n"),
          text.trimEnd(),
          `\uFEFF${text.replaceAll("\n", "\r\n")}\r\n\r\n`
        ]) {
          yield* files(directory, { "0001_items.sql": same })
          expect(yield* migrate(sql, directory)).toEqual([])
        }
        yield* files(directory, { "0001_items.sql": text.replace("(1)", "(2)") })
        expect(yield* Effect.flip(migrate(sql, directory))).toMatchObject({ problem: "changed" })
      })
  )

  check("with a byte order mark may begin with the comment for no transaction", (sql) =>
    Effect.gen(function* () {
      const optimize =
        backend.kind === "mysql"
          ? "optimize table items"
          : "create index concurrently i on items (id)"
      const directory = yield* directoryOf({
        "0001_items.sql": `\uFEFF${table}`,
        "0002_index.sql": `\uFEFF-- flange: no transaction\r\n${optimize};\r\n`
      })
      expect(yield* migrate(sql, directory)).toHaveLength(2)
    })
  )

  check("that are not UTF-8 are refused before anything runs", (sql) =>
    Effect.gen(function* () {
      const directory = yield* directoryOf({
        "0001_items.sql": table,
        "0002_name.sql": Buffer.from("insert into items values (1) -- Zürich", "latin1")
      })
      const error = yield* Effect.flip(migrate(sql, directory))
      expect(error).toMatchObject({ migration: "0002_name.sql", problem: "invalid" })
      expect(error.message).toContain("not UTF-8")
      expect((yield* Effect.exit(applied(sql)))._tag).toBe("Failure")
    })
  )

  const misplaced: ReadonlyArray<[string, string, number]> = [
    ["after an empty line", `\n-- flange: no transaction\n${table}`, 2],
    ["after another comment", `-- items\n-- flange: no transaction\n${table}`, 2],
    ["with another word", `-- flange: no-transaction\n${table}`, 1],
    ["in another form", `/* flange: no transaction */\n${table}`, 1]
  ]
  for (const [where, text, line] of misplaced) {
    check(`with the comment for no transaction ${where} are refused with its line`, (sql) =>
      Effect.gen(function* () {
        const directory = yield* directoryOf({ "0001_items.sql": text })
        const error = yield* Effect.flip(migrate(sql, directory))
        expect(error).toMatchObject({ migration: "0001_items.sql", problem: "invalid" })
        expect(error.message).toContain(`line ${line}`)
        expect(error.message).toContain("first line")
        expect((yield* Effect.exit(applied(sql)))._tag).toBe("Failure")
      })
    )
  }

  check("may become JavaScript, under the same title only", (sql) =>
    Effect.gen(function* () {
      const code = codeMigration("yield* sql`insert into items values (2)`")
      const directory = yield* directoryOf({ "0001_items.sql": table, "0002_fill.ts": code })
      yield* migrate(sql, directory)
      for (const [from, to] of [
        ["0002_fill.ts", "0002_fill.js"],
        ["0002_fill.js", "0002_fill.mjs"]
      ] as const) {
        yield* Effect.promise(() => rename(join(directory, from), join(directory, to)))
        yield* files(directory, { [to]: `// compiled\n${code}` })
        expect(yield* migrate(sql, directory)).toEqual([])
      }
      yield* Effect.promise(() =>
        rename(join(directory, "0002_fill.mjs"), join(directory, "0002_other.mjs"))
      )
      expect(yield* Effect.flip(migrate(sql, directory))).toMatchObject({ problem: "changed" })
    })
  )

  check("must have their directory", (sql) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(migrate(sql, "/no/such/directory"))
      expect(error).toMatchObject({ migration: "/no/such/directory", problem: "missing" })
    })
  )

  check("are skipped with a warning if their name has no number", (sql) =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const logger = Logger.make(
        ({ logLevel, message }) => void lines.push(`${logLevel} ${message}`)
      )
      const directory = yield* directoryOf({
        ".keep": "",
        "0001_items.sql": table,
        "README.md": "",
        "V2__more.sql": "select 2",
        "items.sql": "select 3"
      })
      yield* Effect.promise(() => mkdir(join(directory, "old")))
      yield* Effect.provide(migrate(sql, directory), Logger.layer([logger]))
      const [warning] = lines
      expect(warning).toMatch(/^Warn Not migrations/)
      for (const name of ["V2__more.sql", "items.sql", "old"])
        expect(warning).toContain(join(directory, name))
      expect(warning).not.toMatch(/README|keep/)
    })
  )

  check("can be recorded without being run, up to one of them", (sql) =>
    Effect.gen(function* () {
      yield* sql`create table items (id integer)`
      const directory = yield* directoryOf({
        "0001_items.sql": table,
        "0002_more.sql": "insert into items values (2)",
        "0003_last.sql": "insert into items values (3)"
      })
      const provided = Effect.provideService(SqlClient.SqlClient, sql)
      const baseline = (through: string) =>
        provided(Migrations.baseline({ directories: [directory], through }))
      const unknown = yield* Effect.flip(baseline("0009_none.sql"))
      expect(unknown).toMatchObject({ migration: "0009_none.sql", problem: "missing" })
      expect(yield* baseline("0002_more.sql")).toEqual(["0001_items.sql", "0002_more.sql"])
      expect(yield* baseline("0002_more.sql")).toEqual([])
      expect(yield* migrate(sql, directory)).toEqual(["0003_last.sql"])
      expect(yield* sql`select id from items`).toEqual([{ id: 3 }])
    })
  )

  check("can be accepted after an edit, and have a state each", (sql) =>
    Effect.gen(function* () {
      const directory = yield* directoryOf({
        "0001_items.sql": table,
        "0003_third.sql": "insert into items values (3)",
        "0004_gone.sql": "select 4"
      })
      yield* migrate(sql, directory)
      yield* Effect.promise(() => rm(join(directory, "0004_gone.sql")))
      yield* files(directory, {
        "0002_late.sql": "select 2",
        "0003_third.sql": "insert into items values (33)",
        "0005_new.sql": "select 5"
      })
      const provided = Effect.provideService(SqlClient.SqlClient, sql)
      const states = Effect.map(provided(Migrations.status({ directories: [directory] })), (rows) =>
        rows.map(({ name, state }) => [name, state])
      )
      expect(yield* states).toEqual([
        ["0001_items.sql", "applied"],
        ["0002_late.sql", "late"],
        ["0003_third.sql", "changed"],
        ["0004_gone.sql", "missing"],
        ["0005_new.sql", "pending"]
      ])
      const repaired = yield* provided(Migrations.repair({ directories: [directory] }))
      expect(repaired).toEqual(["0003_third.sql"])
      expect(yield* migrate(sql, directory, { allow: ["late", "missing"] })).toEqual([
        "0002_late.sql",
        "0005_new.sql"
      ])
      expect(yield* sql`select id from items order by id`).toEqual([{ id: 1 }, { id: 3 }])
    })
  )
})

onEach([pglite, postgres], "A rule with several actions", (backend) => {
  checkOn(backend)("is one statement of a migration", (sql) =>
    Effect.gen(function* () {
      const directory = yield* directoryOf({
        "0001_rule.sql": `create table items (id integer);
create table log (id integer);
create rule logged as on insert to items do also (insert into log values (new.id); insert into log values (new.id + 1));
insert into items values (1);`
      })
      yield* migrate(sql, directory)
      expect(yield* sql`select id from log order by id`).toEqual([{ id: 1 }, { id: 2 }])
    })
  )
})
