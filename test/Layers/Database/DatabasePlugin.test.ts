import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import { App, AppRuntime, HealthCheck, Plugin } from "flange"
import * as Database from "flange/Database"
import { TestApp } from "flange/Testing"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { all, onEach } from "./backends.ts"

const root = join(import.meta.dirname, "../../..")

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flange-database-"))
  await writeFile(join(folder, "0001_items.sql"), "create table items (id integer)")
})
afterEach(() => rm(folder, { force: true, recursive: true }))

const User = Plugin.make("app:user", { requires: [SqlClient.SqlClient] })
const app = App.make("shop", [Database.plugin, User])

const booted = (database: object) =>
  TestApp.make(app, { config: { database: { migrations: folder, ...database } } })

onEach(all, "An app with Database.plugin", (backend) => {
  it("migrates, serves its client, is healthy, and migrates again when asked", () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const url = yield* backend.fresh
          const test = yield* booted({ url })
          yield* test.run(
            Effect.gen(function* () {
              const sql = yield* SqlClient.SqlClient
              yield* sql`insert into items values (1)`
              expect(yield* sql`select id from items`).toEqual([{ id: 1 }])

              const { contributions } = yield* AppRuntime
              const [check, ...others] = contributions(HealthCheck.kind)
              expect(others).toEqual([])
              expect(check).toMatchObject({ data: { class: "shared" }, name: "database" })
              yield* check!.value

              yield* Effect.promise(() =>
                writeFile(join(folder, "0002_more.sql"), "insert into items values (2)")
              )
              expect(yield* Database.migrate.call()).toEqual({ applied: ["0002_more.sql"] })
              expect(yield* Database.migrate.call()).toEqual({ applied: [] })
            })
          )
        })
      )
    ))

  it("applies the migrations of plugins with those of the configuration", () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const url = yield* backend.fresh
          const more = join(folder, "more")
          yield* Effect.promise(() => mkdir(more))
          yield* Effect.promise(() =>
            writeFile(join(more, "0002_more.sql"), "insert into items values (2)")
          )
          const More = Plugin.make("app:more", {
            migrations: pathToFileURL(more),
            requires: [SqlClient.SqlClient]
          })
          const test = yield* TestApp.make(App.make("shop", [Database.plugin, More]), {
            config: { database: { migrations: folder, url } }
          })
          const rows = SqlClient.SqlClient.use((sql) => sql`select id from items`)
          expect(yield* test.run(rows)).toEqual([{ id: 2 }])
          expect(yield* test.run(Database.migrate.call())).toEqual({ applied: [] })
        })
      )
    ))

  it("has the state of migrations, their baseline and their repair as actions", () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const url = yield* backend.fresh
          const test = yield* booted({ runMigrations: false, url })
          yield* test.run(
            Effect.gen(function* () {
              const pending = { appliedAt: null, name: "0001_items.sql", state: "pending" }
              expect(yield* Database.migrationStatus.call()).toEqual([pending])
              const through = "0001_items.sql"
              expect(yield* Database.baselineMigrations.call({ through })).toEqual({
                recorded: [through]
              })
              yield* Effect.promise(() => writeFile(join(folder, through), "select 1"))
              expect(yield* Effect.flip(Database.migrate.call())).toMatchObject({
                problem: "changed"
              })
              expect(yield* Database.repairMigrations.call()).toEqual({ repaired: [through] })
              expect(yield* Database.migrate.call()).toEqual({ applied: [] })
              const [state] = yield* Database.migrationStatus.call()
              expect(state).toMatchObject({ name: through, state: "applied" })
              expect(Date.now() - state!.appliedAt!.getTime()).toBeLessThan(3_600_000)
            })
          )
        })
      )
    ))

  it("does not start without a directory that it names, or without an applied file", () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const url = yield* backend.fresh
          const migrations = join(folder, "nowhere")
          const error = yield* Effect.flip(booted({ migrations, url }))
          expect(error).toMatchObject({ migration: migrations, problem: "missing" })
          if (backend.kind === "pglite") return
          yield* booted({ url })
          yield* Effect.promise(() => rm(join(folder, "0001_items.sql")))
          expect(yield* Effect.flip(booted({ url }))).toMatchObject({
            migration: "0001_items.sql",
            problem: "missing"
          })
          yield* booted({ allowMigrations: ["missing"], url })
        })
      )
    ))

  it("does not start when a migration is wrong, and says which", () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const url = yield* backend.fresh
          yield* Effect.promise(() => writeFile(join(folder, "0002_bad.sql"), "selec 1"))
          const error = yield* Effect.flip(booted({ url }))
          expect(error).toMatchObject({ _tag: "MigrationError", migration: "0002_bad.sql" })
        })
      )
    ))

  it("leaves migrations alone when database.runMigrations is false", () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const url = yield* backend.fresh
          const test = yield* booted({ runMigrations: false, url })
          const exit = yield* test.run(
            Effect.exit(SqlClient.SqlClient.use((sql) => sql`select * from items`))
          )
          expect(exit._tag).toBe("Failure")
        })
      )
    ))
})

describe("Database.plugin", () => {
  it("needs no configuration in the environment test", () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const test = yield* booted({})
          const rows = SqlClient.SqlClient.use((sql) => sql`select 1 as one`)
          expect(yield* test.run(rows)).toEqual([{ one: 1 }])
        })
      )
    ))

  it("may take longer to start than other plugins: migrations do", () => {
    const { startTimeout } = Database.plugin.manifest
    expect(Duration.toHours(startTimeout!)).toBe(1)
  })

  it("names the server that cannot be reached, and starts nothing", () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const url = "postgres://ada:hunter22@127.0.0.1:1/shop"
          const error = yield* Effect.flip(booted({ bootWait: "100ms", url }))
          expect(error._tag).toBe("DatabaseUnreachable")
          expect(error.message).toContain('PostgreSQL at 127.0.0.1:1, database "shop"')
          expect(error.message).not.toContain("hunter22")
        })
      )
    ))
})

const script = async (code: string, args: ReadonlyArray<string> = []) => {
  const child = spawn(
    `${root}/node_modules/.bin/node`,
    ["--conditions=flange-source", ...args, "--input-type=module", "--eval", code],
    { cwd: root, stdio: ["ignore", "pipe", "pipe"] }
  )
  let output = ""
  child.stdout.on("data", (chunk) => (output += chunk))
  child.stderr.on("data", (chunk) => (output += chunk))
  await once(child, "close")
  return output
}

/** A module loader without the drivers; what asks for one is written down. */
const withoutDrivers = `
  import { registerHooks } from "node:module"
  globalThis.asked = []
  registerHooks({ resolve(specifier, context, next) {
    if (!/^(mysql2|@effect\\/sql-pg|@electric-sql)/.test(specifier)) return next(specifier, context)
    globalThis.asked.push(specifier)
    throw Object.assign(new Error("Cannot find package " + specifier), { code: "ERR_MODULE_NOT_FOUND" })
  } })
`

describe("flange/Database", () => {
  it("loads no driver", async () => {
    const output = await script(`${withoutDrivers}
      await import("flange")
      const Database = await import("flange/Database")
      console.log(JSON.stringify([Database.plugin.id, globalThis.asked]))`)
    expect(output.trim()).toBe('["flange:database",[]]')
  })

  const drivers: ReadonlyArray<[string, string]> = [
    ["mysql://h/d", "npm install mysql2"],
    ["pglite://memory", "npm install @effect/sql-pg @electric-sql/pglite"],
    ["postgres://h/d", "npm install @effect/sql-pg"]
  ]
  for (const [url, advice] of drivers) {
    it(`says what to install for ${url}`, async () => {
      const output = await script(`${withoutDrivers}
        const { App } = await import("flange")
        const Database = await import("flange/Database")
        App.run(App.make("shop", [Database.plugin], {
          config: { values: { database: { url: "${url}" } } }
        }))`)
      expect(output).toContain("DriverMissing")
      expect(output).toContain(advice)
    })
  }
})
