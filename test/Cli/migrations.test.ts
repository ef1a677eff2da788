import { cp, rm } from "node:fs/promises"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { assert, beforeAll, it } from "vitest"
import { checksumOf } from "../../src/Layers/Database/Migration/MigrationFiles.ts"
import { all, mysql, onEach, open, postgres } from "../Layers/Database/backends.ts"
import { emptyFolder, flange, moved, project, type Ran, run } from "./project.ts"

const fill = `
import * as Effect from "effect/Effect"
import { SqlClient } from "effect/sql/SqlClient"
import { names } from "../names.ts"
export default Effect.gen(function* () {
  const sql: SqlClient = yield* SqlClient
  for (const name of names) yield* sql\`insert into items (id, name) values (1, \${name})\`
})
`

const files = {
  "items/migrations/0001_items.sql": "create table items (id integer, name varchar(9))",
  "items/migrations/0002_fill.ts": fill,
  "items/names.ts": `export const names: ReadonlyArray<string> = ["Lamp"]`,
  // The folder that an app finds in its working directory.
  "migrations/0003_more.sql": "insert into items (id, name) values (2, 'Desk')",
  "package.json": `{"name":"shop","type":"module","dependencies":{"@electric-sql/pglite":"*"}}`,
  "main.ts": `
    import * as Effect from "effect/Effect"
    import { SqlClient } from "effect/sql/SqlClient"
    import { App, Plugin } from "flange"
    import * as Database from "flange/Database"
    const Items = Plugin.make("app:items", {
      migrations: new URL("./items/migrations/", import.meta.url),
      ready: () =>
        Effect.gen(function* () {
          const sql = yield* SqlClient
          const items = yield* sql\`select id, name from items order by id\`
          const applied = yield* sql\`select name, checksum from flange_migrations order by id\`
          const status = yield* Database.migrationStatus.call()
          const states = status.map(({ name, state }) => [name, state])
          console.log("RESULT " + JSON.stringify({ applied, items, states }))
          process.kill(process.pid, "SIGTERM")
        }),
      requires: [SqlClient]
    })
    App.run(App.make("shop", [Database.plugin, Items]))
  `
}

let folder: string
let bundle: string
let built: Ran
beforeAll(async () => {
  folder = await project(files, [
    "@effect/platform-node",
    "@effect/sql-pg",
    "@electric-sql/pglite",
    "effect",
    "flange",
    "mysql2"
  ])
  built = await flange(folder, "build", "main.ts")
  assert.strictEqual(built.code, 0, built.stderr)
  bundle = await moved(folder)
})

const start = (cwd: string, args: ReadonlyArray<string>, url: string) =>
  run(args, { cwd, env: { DATABASE_URL: url, PORT: "0" } })

const resultOf = ({ code, stderr, stdout }: Ran) => {
  assert.strictEqual(code, 0, stdout + stderr)
  return JSON.parse(/RESULT (.*)/.exec(stdout)![1]!)
}

const names = ["0001_items.sql", "0002_fill.ts", "0003_more.sql"]

onEach(all, "The migrations of a bundle", (backend) => {
  it("run far from the sources, with the names and checksums of the sources", () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const url = yield* backend.fresh
          const result = resultOf(
            yield* Effect.promise(async () =>
              start(await emptyFolder(), [join(bundle, "app.mjs")], url)
            )
          )
          assert.deepStrictEqual(result.items, [
            { id: 1, name: "Lamp" },
            { id: 2, name: "Desk" }
          ])
          assert.deepStrictEqual(
            result.states,
            names.map((name) => [name, "applied"])
          )
          assert.deepInclude(result.applied, { checksum: checksumOf(fill), name: "0002_fill.ts" })
          if (backend.kind === "pglite") return
          const source = ["--conditions=flange-source", "main.ts"]
          const again = yield* Effect.promise(() => start(folder, source, url))
          assert.deepStrictEqual(resultOf(again), result)
          const sql = yield* open(url)
          yield* sql`update flange_migrations set checksum = 'edited' where name = '0002_fill.ts'`
          const edited = yield* Effect.promise(() => start(bundle, ["app.mjs"], url))
          assert.strictEqual(edited.code, 1)
          assert.include(edited.stderr, "has been edited since")
        })
      )
    ))
})

onEach([postgres, mysql], "A bundle without a folder of migrations", (backend) => {
  for (const lost of ["items/migrations", "migrations"]) {
    it(`does not boot, and names ${lost}`, () =>
      Effect.runPromise(
        Effect.scoped(
          Effect.gen(function* () {
            const url = yield* backend.fresh
            const copy = join(yield* Effect.promise(emptyFolder), "app")
            yield* Effect.promise(() => cp(bundle, copy, { recursive: true }))
            yield* Effect.promise(() => rm(join(copy, "assets", lost), { recursive: true }))
            const ran = yield* Effect.promise(() => start(copy, ["app.mjs"], url))
            assert.strictEqual(ran.code, 1, ran.stdout)
            assert.include(ran.stderr, `Migration ${join(copy, "assets", lost)}`)
            assert.include(ran.stderr, "the directory does not exist")
          })
        )
      ))
  }
})
