// The checks of the database for `flange doctor`, each with a fault that it finds.
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as SqlClient from "effect/sql/SqlClient"
import { App, AppRuntime, Doctor, Plugin } from "flange"
import * as Database from "flange/Database"
import { TestApp } from "flange/Testing"
import { afterEach, assert, beforeEach, it, vi } from "vitest"
import { all, mysql, onEach, postgres } from "./backends.ts"

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flange-doctor-"))
  await writeFile(join(folder, "0001_items.sql"), "create table items (id integer)")
})
afterEach(() => rm(folder, { force: true, recursive: true }))

const User = Plugin.make("app:user", { requires: [SqlClient.SqlClient] })
const app = App.make("shop", [Database.plugin, User])

/** Boots the app on a new database. Returns it with the checks that its plugin brings. */
const booted = Effect.fnUntraced(function* (backend: (typeof all)[number], database: object) {
  const url = yield* backend.fresh
  const config = { database: { migrations: folder, url, ...database } }
  const { run } = yield* TestApp.make(app, { config })
  const { contributions } = yield* run(AppRuntime)
  const checks = yield* contributions(Doctor.kind)[0]!.value
  return { checks, run }
})

const runTest = <E>(test: Effect.Effect<void, E, Scope.Scope>) =>
  Effect.runPromise(Effect.scoped(test))

onEach(all, "The checks of the database", (backend) => {
  it("accept a database that is as it should be", () =>
    runTest(
      Effect.gen(function* () {
        const { checks } = yield* booted(backend, {})
        const found = yield* Effect.all(checks)
        const remote = backend.kind === "pglite" ? "skipped" : "ok"
        assert.deepStrictEqual(
          Object.entries(found).map(([name, { state }]) => [name, state]),
          [
            ["clock", remote],
            ["connections", remote],
            ["migrations", "ok"],
            ["timeZone", "ok"],
            ["version", "ok"]
          ]
        )
        assert.match(found["version"]!.message, /^The server is .*\d+\.\d+/)
      })
    ))

  it("find migrations that are pending, late, changed, and without a file", () =>
    runTest(
      Effect.gen(function* () {
        const { checks, run } = yield* booted(backend, { runMigrations: false })
        const file = (name: string) => join(folder, name)
        const found = Effect.flatMap(checks["migrations"]!, ({ message, remedy, state }) =>
          Effect.sync(() => `${state}: ${message} ${remedy}`)
        )
        const write = (name: string, text: string) =>
          Effect.promise(() => writeFile(file(name), text))
        assert.match(yield* found, /^warning: 1 migrations are pending: 0001_items\.sql\./)
        yield* run(Database.migrate.call())
        yield* write("0000_early.sql", "select 1")
        assert.match(
          yield* found,
          /^failed: .*0000_early\.sql\. .*database\.allowMigrations to \["late","missing"\]/
        )
        yield* Effect.promise(() => rm(file("0000_early.sql")))
        yield* write("0001_items.sql", "create table items (id bigint)")
        assert.match(
          yield* found,
          /^failed: Migrations changed .*: 0001_items\.sql\. .*flange migrate repair/
        )
        yield* Effect.promise(() => rm(file("0001_items.sql")))
        assert.match(
          yield* found,
          /^failed: Migrations are late or have no file: 0001_items\.sql\./
        )
      })
    ))

  it("find sessions in another time zone", () =>
    runTest(
      Effect.gen(function* () {
        const { checks, run } = yield* booted(backend, { maxConnections: 1 })
        yield* run(
          SqlClient.SqlClient.use((sql) =>
            sql.unsafe(
              backend.kind === "mysql" ? "set time_zone = '+09:00'" : "set time zone 'Asia/Tokyo'"
            )
          )
        )
        const { message, state } = yield* checks["timeZone"]!
        assert.strictEqual(state, "failed")
        assert.match(message, /in the time zone (?:\+09:00|Asia\/Tokyo),/)
      })
    ))
})

onEach([postgres, mysql], "The checks of a database server", (backend) => {
  it("find a clock that differs by more than a second", () =>
    runTest(
      Effect.gen(function* () {
        const { checks } = yield* booted(backend, {})
        const { now } = Date
        const spy = vi.spyOn(Date, "now").mockImplementation(() => now() + 3_600_000)
        const found = yield* Effect.ensuring(
          checks["clock"]!,
          Effect.sync(() => spy.mockRestore())
        )
        assert.strictEqual(found.state, "warning")
        assert.match(found.message, /^The clock of the database is 3\d{6} ms behind that/)
      })
    ))

  it("find a pool that the server cannot serve", () =>
    runTest(
      Effect.gen(function* () {
        const { checks } = yield* booted(backend, { maxConnections: 200_000 })
        const { message, remedy, state } = yield* checks["connections"]!
        assert.strictEqual(state, "failed")
        assert.match(message, /^The pool may open 200000 connections, and the server takes \d+\.$/)
        assert.match(remedy!, /^Set database\.maxConnections to \d+ or less/)
      })
    ))
})
