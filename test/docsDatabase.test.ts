// The guide to databases: its SQL runs on the databases that it names, and its URLs are accepted.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { SqlClient } from "effect/sql/SqlClient"
import * as Database from "flange/Database"
import { parse } from "../src/Layers/Database/DatabaseUrl.ts"
import { all, mysql, onEach, open, postgres } from "./Layers/Database/backends.ts"
import { rig } from "./Layers/Database/drills/Rig.ts"

const guide = await readFile(join(import.meta.dirname, "../docs/database.md"), "utf8")
const statements = [...guide.matchAll(/^```sql\n([\s\S]*?)^```$/gm)].map(([, sql]) => sql!.trim())

it("the guide shows a migration and the two queries that find a request", () => {
  expect(statements).toEqual([
    expect.stringContaining("create table"),
    expect.stringContaining("pg_stat_activity"),
    expect.stringContaining("performance_schema")
  ])
})

const [migration = "", onPostgres = "", onMySql = ""] = statements

describe("the table of URLs", () => {
  const urls = [...guide.matchAll(/^\| `(\w+:\/\/[^`]*)`(?:, `(\w+:\/\/[^`]*)`)?/gm)]
    .flatMap(([, first, second]) => [first!, second ?? []].flat())
    .map((url) => url.replace("...", "host/name"))

  it.each(urls)("has an accepted URL: %s", (url) => {
    expect(parse(url)).toBeDefined()
  })

  it("has a URL of every driver", () => {
    expect(new Set(urls.map((url) => parse(url)?._tag))).toEqual(
      new Set(["Embedded", "MySql", "Postgres"])
    )
  })
})

onEach(all, "The guide", (backend) => {
  it.live("its migration is applied", () =>
    Effect.gen(function* () {
      const directory = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp(join(tmpdir(), "flange-guide-"))),
        (path) => Effect.promise(() => rm(path, { recursive: true }))
      )
      yield* Effect.promise(() => writeFile(join(directory, "0001_items.sql"), migration))
      const sql = yield* open(yield* backend.fresh)
      const applied = yield* Database.runMigrations({ directories: [directory] }).pipe(
        Effect.provideService(SqlClient, sql),
        Effect.provide(Logger.layer([]))
      )
      expect(applied).toEqual(["0001_items.sql"])
      expect(yield* sql`select id, name from items`).toEqual([])
    })
  )
})

/** Returns the rows of a query that runs in the transaction of the request `guide`. */
const rowsOf = (url: string, query: string) =>
  Effect.gen(function* () {
    const { script, sql, test } = yield* rig({ url })
    let rows: ReadonlyArray<object> = []
    script.write = Effect.orDie(
      Effect.map(sql.unsafe(query), (found) => {
        rows = found
      })
    )
    const reply = yield* test.post("/write", { headers: { "x-request-id": "guide" } })
    reply.expectStatus(200)
    return rows
  })

onEach([postgres], "The guide", ({ fresh }) => {
  it.live("its query finds the running request", () =>
    Effect.gen(function* () {
      expect(yield* rowsOf(yield* fresh, onPostgres)).toContainEqual(
        expect.objectContaining({
          application_name: "flange|guide",
          query: expect.stringContaining("pg_stat_activity")
        })
      )
    })
  )
})

onEach([mysql], "The guide", ({ fresh }) => {
  it.live("its query finds the running request if performance_schema is on", () =>
    Effect.gen(function* () {
      const url = yield* fresh
      const sql = yield* open(url)
      const [setting] = yield* sql<{ readonly isOn: bigint }>`select @@performance_schema as isOn`
      const rows = yield* rowsOf(url, onMySql)
      if (setting?.isOn === 0n) return expect(rows).toEqual([])
      const query = expect.stringContaining("user_variables_by_thread")
      expect(rows).toContainEqual({
        query,
        request_id: Buffer.from("guide"),
        since: expect.any(Number)
      })
    })
  )
})
