// The code that `flange generate` writes passes the checks of a project, and its own tests, on every
// database.
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { assert, beforeAll, describe, it } from "vitest"
import { type Backend, mysql, onEach, postgres } from "../Layers/Database/backends.ts"
import { flange, project, type Ran, run, write } from "./project.ts"

const root = join(import.meta.dirname, "../..")

const everyType =
  "amount:decimal,at:datetime,day:date,group:string,isPaid:boolean,order:int,ratio:number,select:uuid,state:enum(open|paid|sent-back),words:text"

/** The command lines whose code is checked, one after another in an app with a database. */
const stored: ReadonlyArray<string> = [
  "endpoint orders --crud --fields customer:string,total:int,note:text?",
  `endpoint groups --crud --public --fields ${everyType}`,
  `endpoint rare-things --crud --public --fields ${everyType.replaceAll(/,|$/g, "?$&")}`,
  "endpoint days --crud --public --fields day:date,date:date?,isFlag:boolean",
  "endpoint notes --method post --path /v1/orders/:id/notes/:number",
  "action orders.archive",
  "migration add-total-to-orders",
  "migration fill --ts",
  "client"
]

const long = ["first", "second", "third"].map((word) => word.repeat(6)).join("|")

/** Those in an app without a database. */
const inMemory: ReadonlyArray<string> = [
  `endpoint categories --crud --public --fields ${everyType}`,
  "endpoint people --crud --fields name:string,date:date?,schema:text?,error:int?",
  "endpoint news --crud --fields title:string",
  `endpoint purchaseOrderAttachments --crud --fields aNameWithExactlyThirtyLetters9:string,anotherNameOfJustThirtyLetters:enum(${long})?`,
  "endpoint sheep --crud --fields name:string?",
  "endpoint status --public",
  "endpoint APIKeys --method delete",
  "endpoint purchaseOrderAttachment9 --public --method put --path /:purchaseOrder/:attachment",
  "plugin mailer",
  "plugin order-exports",
  "action mailer.send-all",
  "action news.count",
  "action news.countAll",
  "client --out src/web/shopClient.ts"
]

const storedApp = `/** The app. */
import { App, Preset } from "flange"
import * as Database from "flange/Database"
import { AuthPlugin } from "../auth/AuthPlugin.ts"

export const app = App.make("shop", [...Preset.api, AuthPlugin, Database.plugin])
`

const memoryApp = `/** The app. */
import { App, Preset } from "flange"
import { AuthPlugin } from "../auth/AuthPlugin.ts"

const plugins = [
  ...Preset.api,
  AuthPlugin // people and partners
] as const

export default App.make("shop", plugins)
`

const auth = `/** Authentication by a token; partners have a chain of their own. */
import * as Redacted from "effect/Redacted"
import * as Auth from "flange/Auth"

const chain = Auth.chain([
  Auth.bearer([{ identity: { subject: "ada" }, token: Redacted.make("a-long-random-token") }])
])

export const AuthPlugin = Auth.plugin({ chains: { partners: chain }, default: chain })
`

/** The files share a process: each process loads Flange, which takes longer than most tests. */
const vitestConfig = `const conditions = ["flange-source", "module", "node"]
export default {
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: { hookTimeout: 600_000, isolate: false, testTimeout: 600_000 }
}
`

/** The configuration of the guide, with the sources of Flange and one rule more. */
const tsconfig = async (): Promise<string> => {
  const guide = await readFile(join(root, "docs/getting-started.md"), "utf8")
  const [, text] = /^Write this `tsconfig.json`[^]*?```json\n([^]*?)```/m.exec(
    guide.replaceAll(/^.*(?=Write this)/gm, "")
  )!
  const config: { compilerOptions: object } = JSON.parse(text!)
  return JSON.stringify({
    compilerOptions: {
      ...config.compilerOptions,
      customConditions: ["flange-source"],
      noUncheckedIndexedAccess: true
    },
    include: ["auth", "memory", "src", "test"]
  })
}

let folder: string
const printed: Array<readonly [line: string, ran: Ran]> = []
beforeAll(async () => {
  const lint = JSON.parse(await readFile(join(root, ".oxlintrc.json"), "utf8"))
  const jsPlugins = lint.jsPlugins.map((path: string) => join(root, path))
  folder = await project(
    {
      ".oxfmtrc.json": await readFile(join(root, ".oxfmtrc.json"), "utf8"),
      ".oxlintrc.json": JSON.stringify({ ...lint, jsPlugins }),
      "memory/main.ts": memoryApp,
      "package.json": `{"name":"shop","type":"module"}`,
      "src/app.ts": storedApp,
      "auth/AuthPlugin.ts": auth,
      "tsconfig.json": await tsconfig(),
      "vitest.config.ts": vitestConfig
    },
    [
      "@effect/platform-node",
      "@effect/sql-pg",
      "@effect/vitest",
      "@electric-sql/pglite",
      "@types/node",
      "effect",
      "flange",
      "mysql2",
      "typescript",
      "vitest"
    ]
  )
  const generate = async (line: string, ...app: ReadonlyArray<string>) =>
    printed.push([line, await flange(folder, ...app, "generate", ...line.split(" "))])
  for (const line of stored) await generate(line)
  for (const line of inMemory) await generate(line, "--app", "memory/main.ts")
})

const tool = (path: string, ...args: ReadonlyArray<string>) =>
  run([join(root, "node_modules", path), ...args], { cwd: folder })

const passes = ({ code, stderr, stdout }: Ran) => assert.strictEqual(code, 0, stdout + stderr)

/** The folders of the code. */
const all = ["auth", "memory", "src", "test"]

describe("generated code", () => {
  it("is written by every command", () => {
    for (const [line, { code, stderr }] of printed) assert.strictEqual(code, 0, line + stderr)
  })

  it("compiles", async () => passes(await tool("typescript/bin/tsc")))

  it("has no floating Effect", async () => {
    const args = ["diagnostics", "--project", "tsconfig.json", "--strict"]
    passes(await tool("@effect/tsgo/dist/effect-tsgo.cjs", ...args))
  })

  it("passes the linter", async () =>
    passes(await tool("oxlint/bin/oxlint", "--deny-warnings", ...all)))

  it("is formatted", async () => passes(await tool("oxfmt/bin/oxfmt", "--check", ...all)))

  it("passes its tests on PGlite and in memory", async () => {
    const ran = await tool("vitest/vitest.mjs", "run")
    passes(ran)
    assert.match(ran.stdout, /Test Files\s+19 passed \(19\)/)
  })

  it("has the routes that were asked for", async () => {
    const { stdout } = await flange(folder, "routes")
    assert.match(stdout, /^POST +\/v1\/orders +orders\.create +protected +- +read-write/m)
    assert.match(stdout, /^GET +\/v1\/groups\/:id +groups\.read +public +- +read-only/m)
    const { stdout: inMemory } = await flange(folder, "routes", "memory/main.ts")
    assert.match(inMemory, /^DELETE +\/v1\/api-keys +apiKeys\.remove +protected/m)
    assert.match(inMemory, /^GET +\/v1\/status +status\.read +public/m)
  })
})

/** The tests of features on tables, which ask a server in the place of PGlite, at the real time. */
const onServer = async (): Promise<ReadonlyArray<string>> => {
  const names = ["groups", "orders", "rare-things"]
  for (const name of names) {
    const text = await readFile(join(folder, `test/${name}.test.ts`), "utf8")
    const config = `config: { database: { url: process.env["URL"]! } }`
    await write(folder, {
      [`test/server/${name}.test.ts`]: text
        .replaceAll(`TestApp.layer(app)`, `TestApp.layer(app, {})`)
        .replaceAll(`TestApp.layer(app, {`, `TestApp.layer(app, { ${config},`)
        .replaceAll(/^layer\((\w+)\)/gm, "layer($1, { excludeTestServices: true })")
        .replaceAll(`"../src/`, `"../../src/`)
    })
  }
  return names
}

const suite = ({ fresh }: Backend) => {
  it("passes its tests", async () => {
    const names = await onServer()
    // The other suite of a file has the table filled.
    const pattern = "^(?!.*has pages)"
    const args = ["run", "test/server", "--testNamePattern", pattern]
    const ran = await Effect.runPromise(
      Effect.scoped(
        Effect.flatMap(fresh, (URL) =>
          Effect.promise(() =>
            run([join(root, "node_modules/vitest/vitest.mjs"), ...args], {
              cwd: folder,
              env: { URL }
            })
          )
        )
      )
    )
    passes(ran)
    assert.match(ran.stdout, new RegExp(`Test Files\\s+${names.length} passed`))
  })
}

onEach([postgres, mysql], "generated code", suite)
