import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, beforeAll, describe, it } from "vitest"
import { project, type Ran, run } from "../../../Cli/project.ts"

const root = join(import.meta.dirname, "../../../..")

const files = {
  "app.ts": `
    import * as Effect from "effect/Effect"
    import * as Layer from "effect/Layer"
    import * as Schema from "effect/Schema"
    import { SqlClient } from "effect/sql/SqlClient"
    import { App, Config, Plugin, Preset } from "flange"
    import * as Database from "flange/Database"

    const Mail = Config.section("mail", { key: Config.Secret })

    // It needs tables and a secret that a deployment's migration does not have.
    const Items = Plugin.make("app:items", {
      config: [Mail],
      layer: Layer.effectDiscard(Effect.flatMap(SqlClient, (sql) => sql\`select * from items\`)),
      migrations: new URL("./tables", import.meta.url),
      requires: [SqlClient]
    })
    export const app = App.make("shop", [...Preset.api, Database.plugin, Items])`,
  "tables/0001_items.sql": "create table items (id int);",
  "tables/0002_more.sql": "insert into items values (1);"
}

const migrate = (
  folder: string,
  args: string,
  env: Record<string, string> = { DATABASE_URL: "pglite://./data" }
): Promise<Ran> =>
  run(
    ["--conditions=flange-source", join(root, "src/Cli/main.ts"), "migrate", ...args.split(" ")],
    { cwd: folder, env: { FLANGE_ENV: "production", ...env } }
  )

const output = ({ code, stdout }: Ran) => [code, stdout]

describe("flange migrate", () => {
  let folder: string
  beforeAll(async () => {
    folder = await project(files, ["effect", "flange"])
  })

  it("applies the migrations of all plugins, and acquires the database alone", async () => {
    assert.deepStrictEqual(output(await migrate(folder, "status")), [
      0,
      "pending  0001_items.sql\npending  0002_more.sql\n"
    ])
    const first = await migrate(folder, "run")
    assert.deepStrictEqual(output(first), [0, "0001_items.sql\n0002_more.sql\n"], first.stderr)
    assert.include(first.stderr, "Migration 0002_more.sql (2 of 2): applied")
    assert.deepStrictEqual(output(await migrate(folder, "run")), [0, "No migration was pending.\n"])
    const { stdout } = await migrate(folder, "status --json")
    for (const { appliedAt, state } of JSON.parse(stdout)) {
      assert.match(appliedAt, /^\d{4}-/)
      assert.strictEqual(state, "applied")
    }
  })

  it("refuses a migration that was edited, lists it as changed, and repairs it", async () => {
    const file = join(folder, "tables/0002_more.sql")
    await writeFile(file, `${await readFile(file, "utf8")} -- edited`)
    const refused = await migrate(folder, "run")
    assert.deepStrictEqual(output(refused), [1, ""])
    assert.match(refused.stderr, /^Migration 0002_more\.sql: /m)
    assert.notInclude(refused.stderr, "    at ")
    const { stdout } = await migrate(folder, "status")
    assert.match(stdout, /^applied {2}0001_items\.sql {2}\d.*\nchanged {2}0002_more\.sql {2}\d/)
    assert.deepStrictEqual(output(await migrate(folder, "repair")), [0, "0002_more.sql\n"])
  })

  it("records the migrations of a database that has their tables", async () => {
    const env = { DATABASE_URL: "pglite://./other" }
    const unknown = await migrate(folder, "baseline 0003.sql", env)
    assert.deepStrictEqual(output(unknown), [1, ""])
    assert.include(unknown.stderr, "The migrations are: 0001_items.sql, 0002_more.sql.")
    assert.deepStrictEqual(output(await migrate(folder, "baseline 0001_items.sql --json", env)), [
      0,
      '{\n  "recorded": [\n    "0001_items.sql"\n  ]\n}\n'
    ])
    assert.match((await migrate(folder, "status", env)).stdout, /^applied.*\npending/)
  })

  it("without a database fails with what to set", async () => {
    const none = await migrate(folder, "run", {})
    assert.deepStrictEqual(output(none), [1, ""])
    assert.include(none.stderr, "DATABASE_URL_FILE to the path of a file that has it.")
    assert.notInclude(none.stderr, "mail.key")
    const dead = await migrate(folder, "run", {
      DATABASE_URL: "postgres://ada@127.0.0.1:1/shop",
      FLANGE__DATABASE__BOOT_WAIT: "0 seconds"
    })
    assert.deepStrictEqual(output(dead), [1, ""])
    assert.include(
      dead.stderr,
      "Start the server, correct DATABASE_URL, or raise database.bootWait."
    )
  })
})

describe("flange action run", () => {
  it("in production has the JSON log of the app on stderr, and only the result on stdout", async () => {
    const folder = await project(
      {
        ...files,
        "app.ts": files["app.ts"].replace("select * from items", "select 1")
      },
      ["effect", "flange"]
    )
    const { code, stderr, stdout } = await run(
      [
        "--conditions=flange-source",
        join(root, "src/Cli/main.ts"),
        "action",
        "run",
        "database.migrate"
      ],
      {
        cwd: folder,
        env: {
          DATABASE_URL: "pglite://memory",
          FLANGE_ENV: "production",
          FLANGE__MAIL__KEY: "a-long-random-key"
        }
      }
    )
    assert.deepStrictEqual(JSON.parse(stdout), { applied: [] }, stderr)
    assert.match(stderr, /^\{.*"message":"Migration 0001_items\.sql \(1 of 2\): running".*\}$/m)
    assert.strictEqual(code, 0)
  })
})
