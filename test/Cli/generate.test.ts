// The command `flange generate`: what it writes, prints, refuses and undoes.
import { existsSync } from "node:fs"
import { readdir, readFile, rm } from "node:fs/promises"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { flange, project, type Ran, run, write } from "./project.ts"

const root = join(import.meta.dirname, "../..")

const before = `import { App, Preset } from "flange"

export const app = App.make("shop", [...Preset.api])
`

const fresh = (files: Readonly<Record<string, string>> = {}) =>
  project({ "src/app.ts": before, ...files })

/** Runs `flange generate`. Every argument is a word. */
const generate = (folder: string, line: string): Promise<Ran> =>
  flange(folder, "generate", ...line.split(" "))

const filesOf = async (folder: string): Promise<ReadonlyArray<string>> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort()

const orders = "endpoint orders --crud --fields customer:string,total:int"

const created = [
  "src/orders/Order.ts",
  "src/orders/OrdersApi.ts",
  "src/orders/OrdersPlugin.ts",
  "src/orders/OrdersRepo.ts",
  "test/orders.test.ts"
]

const refused = async (folder: string, ran: Ran, message: string) => {
  assert.include(ran.stderr, message)
  assert.notInclude(ran.stderr, "    at ")
  assert.deepStrictEqual([ran.code, ran.stdout], [2, ""])
  assert.strictEqual(await readFile(join(folder, "src/app.ts"), "utf8"), before)
}

describe("flange generate endpoint", { concurrent: true }, () => {
  it("prints what it wrote, what it chose, and the next steps", async () => {
    const folder = await fresh({ "package.json": `{"scripts":{"check":"tsc","test":"vitest"}}` })
    const { code, stderr, stdout } = await generate(folder, orders)
    assert.strictEqual(
      stdout,
      [...created.map((path) => `create  ${path}`), "edit    src/app.ts", ""].join("\n")
    )
    assert.strictEqual(
      stderr,
      [
        "Everybody may call the endpoints: src/app.ts has no plugin that authenticates. For --protected, add Auth.plugin of flange/Auth",
        "The data is in memory until the process ends: src/app.ts has no Database.plugin. For tables, add it or write --store database",
        "Next: npm run check, npm test, npx flange routes --write. To undo it: npx flange generate undo",
        ""
      ].join("\n")
    )
    assert.strictEqual(code, 0)
    assert.include(
      await readFile(join(folder, "src/app.ts"), "utf8"),
      "[...Preset.api, OrdersPlugin]"
    )
  })

  it("with --dry-run prints the same with the change of the app, and writes nothing", async () => {
    const folder = await fresh()
    const { code, stderr, stdout } = await generate(folder, `${orders} --dry-run`)
    assert.strictEqual(
      stdout,
      [
        ...created.map((path) => `create  ${path}`),
        "edit    src/app.ts",
        `          + import { OrdersPlugin } from "./orders/OrdersPlugin.ts"`,
        `          - export const app = App.make("shop", [...Preset.api])`,
        `          + export const app = App.make("shop", [...Preset.api, OrdersPlugin])`,
        ""
      ].join("\n")
    )
    assert.match(stderr, /Nothing was written\.\n$/)
    assert.strictEqual(code, 0)
    assert.deepStrictEqual(await filesOf(folder), ["src/app.ts"])
  })

  it("with --json prints the plan as data, and its texts with --dry-run", async () => {
    const folder = await fresh()
    const dry = JSON.parse((await generate(folder, `${orders} --dry-run --json`)).stdout)
    const { creates, edits, next, notes } = JSON.parse(
      (await generate(folder, `${orders} --json`)).stdout
    )
    assert.deepStrictEqual(
      creates,
      created.map((path) => ({ path }))
    )
    assert.deepStrictEqual(edits, [{ path: "src/app.ts" }])
    assert.deepStrictEqual([next.length, notes.length], [3, 2])
    for (const { path, text } of [...dry.creates, ...dry.edits]) {
      assert.strictEqual(await readFile(join(folder, path), "utf8"), text)
    }
  })

  it("names every file that exists, and writes nothing", async () => {
    const files = { "src/orders/OrdersRepo.ts": "mine", "test/orders.test.ts": "mine" }
    const folder = await fresh(files)
    await refused(
      folder,
      await generate(folder, orders),
      "These files exist, so nothing was written:\n  src/orders/OrdersRepo.ts\n  test/orders.test.ts\n"
    )
    assert.deepStrictEqual(await filesOf(folder), ["src/app.ts", ...Object.keys(files)])
    for (const path of Object.keys(files)) {
      assert.strictEqual(await readFile(join(folder, path), "utf8"), "mine")
    }
  })

  it("writes nothing if one file cannot be written", async () => {
    const folder = await fresh({ test: "a file where a folder is wanted" })
    await refused(
      folder,
      await generate(folder, orders),
      "test/orders.test.ts cannot be written, so nothing was changed: "
    )
    assert.deepStrictEqual(await filesOf(folder), ["src/app.ts", "test"])
    assert.isFalse(existsSync(join(folder, "src/orders")))
  })

  it("does not import the app, which may lack packages and fail when it is loaded", async () => {
    const folder = await fresh()
    await write(folder, {
      "src/app.ts": `import { nothing } from "nowhere"\n${before}throw new Error(nothing as number)\n`
    })
    const { code, stderr } = await generate(folder, orders)
    assert.strictEqual(code, 0, stderr)
  })

  it("knows the access, the store and the transaction from the app, unless flags say another", async () => {
    const folder = await fresh()
    await write(folder, {
      "src/app.ts": `import { App, Preset } from "flange"
import * as Auth from "flange/Auth"
import * as Database from "flange/Database"

export const app = App.make("shop", [...Preset.api, Auth.plugin(auth), Database.plugin])
`,
      "src/migrations/00017_items.sql": "",
      "src/stock/migrations/00018_stock.ts": ""
    })
    const first = await generate(folder, orders)
    assert.match(first.stderr, /^Next: /)
    assert.include(first.stdout, "create  src/migrations/00019_orders.sql\n")
    const text = (path: string) => readFile(join(folder, path), "utf8")
    assert.include(await text("src/orders/OrdersPlugin.ts"), "Route.protected(OrdersApi")
    assert.include(await text("src/app.ts"), "  Database.transactional(),\n  OrdersPlugin\n])")
    const line = "endpoint boxes --crud --public --store memory --fields total:int"
    const second = await generate(folder, line)
    assert.match(second.stderr, /^Next: /)
    assert.notInclude(second.stdout, "migrations")
    assert.include(await text("src/boxes/BoxesPlugin.ts"), "Route.public(BoxesApi")
    assert.include(await text("src/app.ts"), "  OrdersPlugin,\n  BoxesPlugin\n])")
  })

  it("writes tests that need no secret of an app with authentication", async () => {
    const folder = await fresh()
    await write(folder, {
      "src/app.ts": `import { App, Preset } from "flange"
import * as Auth from "flange/Auth"

export const app = App.make("shop", [...Preset.api, Auth.plugin(auth)])
`
    })
    for (const line of [
      "plugin mailer",
      "action mailer.send",
      "endpoint series --public",
      "endpoint boxes --crud --public --fields total:int",
      "endpoint orders --crud --protected --fields total:int"
    ]) {
      const { code, stderr } = await generate(folder, line)
      assert.strictEqual(code, 0, stderr)
    }
    for (const test of ["boxes", "mailer", "mailer-send", "orders", "series"]) {
      const text = await readFile(join(folder, `test/${test}.test.ts`), "utf8")
      assert.match(
        text,
        /TestApp\.layer\(app, \{\n {2}replace: \[\["flange:auth", MockAuth\./,
        test
      )
      assert.notInclude(text, "TestApp.layer(app)", test)
    }
  })

  it("says what the app lacks for --protected and --store database", async () => {
    const folder = await fresh()
    const { stderr } = await generate(folder, `${orders} --protected --store database`)
    assert.include(stderr, "the app does not compile: add Auth.plugin of flange/Auth")
    assert.include(stderr, "the app does not compile: add Database.plugin of flange/Database")
  })

  it("shows the lines to add if the app has no list, and fails with exit code 1", async () => {
    const folder = await fresh()
    const list = `import { App } from "flange"\nexport const app = App.make("shop", pluginsOf())\n`
    await write(folder, { "src/app.ts": list })
    const { code, stderr, stdout } = await generate(folder, "endpoint status --public")
    assert.include(
      stderr,
      `src/app.ts has no list of plugins to which a line can be added. Add these lines yourself:\n  import { StatusPlugin } from "./status/StatusPlugin.ts"\n  App.make("...", [..., StatusPlugin])`
    )
    assert.notInclude(stdout, "edit")
    assert.strictEqual(code, 1)
    assert.strictEqual(await readFile(join(folder, "src/app.ts"), "utf8"), list)
    assert.isTrue(existsSync(join(folder, "src/status/StatusPlugin.ts")))
  })

  it.each<[string, string]>([
    ["endpoint", "Missing required argument: name"],
    ["endpoint orders --crud", "--crud needs the fields of the data. Write for example --fields"],
    ["endpoint orders --fields a:int", "--fields needs --crud. Add it"],
    ["endpoint orders --store memory", "--store needs --crud. Add it"],
    [
      "endpoint orders --crud --fields a:int --method get",
      "--method is for one endpoint, and --crud generates six"
    ],
    ["endpoint orders --public --protected", "--protected and --public exclude each other"],
    ["endpoint orders --method head", 'Invalid value for flag --method: "head"'],
    ["endpoint orders --path orders", "--path orders is not a path. Write it with a slash"],
    ["endpoint orders --path /a/:b/:b", "has the parameter b twice"],
    ["endpoint orders --path /a//b", "is not a path"],
    ['endpoint orders --path /"a', "is not a path"],
    [
      "endpoint orders --crud --fields a:nit,b:strin",
      '--fields cannot be used:\n  "nit" is not a type of fields (a). Did you mean "int"?\n  "strin" is not'
    ],
    ["endpoint fleet --crud --fields a:int", "name the singular: --singular order"],
    ["endpoint ../orders", '"../orders" is not a name.'],
    ["endpoint order's", `"order's" is not a name.`],
    ["plugin effect", '"effect" makes the name Effect'],
    ["migration add/total", '"add/total" is not a name.'],
    ["action archive", '"archive" is not the name of an action of a feature. Write the feature'],
    [
      "action orders.archive",
      "There is no file src/orders/OrdersPlugin.ts with the plugin of the feature. Name its file: --plugin"
    ],
    ["action orders.archive --plugin src", "There is no file src with the plugin"],
    ["client", "No file below src exports a contract. Write one first: flange generate endpoint"],
    ["client --out ../client.ts", "--out ../client.ts is not a file of the project"],
    ["undo", "Nothing was generated in "],
    ["endpoint orders --app nowhere.ts", "The file nowhere.ts does not exist"],
    ["endpnt orders", "endpnt"]
  ])("refuses %s", async (line, message) => {
    const folder = await fresh()
    await refused(folder, await generate(folder, line), message)
    assert.deepStrictEqual(await filesOf(folder), ["src/app.ts"])
  })

  it("refuses an app that tests cannot import, a syntax error, and a taken name", async () => {
    for (const [text, message] of [
      [`import { App } from "flange"\nApp.run(App.make("a", []))`, "src/app.ts exports no app"],
      [`export const app = App.make("a", [`, "The file src/app.ts cannot be read: "],
      [
        `import { StatusPlugin } from "status"\n${before}`,
        "src/app.ts has the name StatusPlugin already"
      ]
    ] as const) {
      const folder = await fresh()
      await write(folder, { "src/app.ts": text })
      const { code, stderr } = await generate(folder, "endpoint status")
      assert.include(stderr, message)
      assert.strictEqual(code, 2)
      assert.deepStrictEqual(await filesOf(folder), ["src/app.ts"])
    }
  })

  it("says how to install the parser if it is missing", async () => {
    const folder = await fresh({
      "hide.mjs": `import { registerHooks } from "node:module"
        registerHooks({
          resolve: (specifier, context, next) => {
            if (specifier === "oxc-parser") throw new Error("not found")
            return next(specifier, context)
          }
        })`
    })
    const main = join(root, "src/Cli/main.ts")
    const flags = ["--conditions=flange-source", "--import", join(folder, "hide.mjs"), main]
    const { code, stderr } = await run([...flags, "generate", "endpoint", "orders"], {
      cwd: folder
    })
    assert.include(stderr, "oxc-parser is not installed")
    assert.include(stderr, "Run: npm install -D oxc-parser")
    assert.strictEqual(code, 2)
  })
})

describe("flange generate migration", { concurrent: true }, () => {
  it("has the next number, in SQL and in TypeScript", async () => {
    const folder = await fresh({ "src/migrations/20240101120000_items.sql": "" })
    for (const [line, path] of [
      ["migration add-total-to-orders", "20240101120001_add_total_to_orders.sql"],
      ["migration Fill --ts", "20240101120002_fill.ts"]
    ]) {
      const { stdout } = await generate(folder, line!)
      assert.strictEqual(stdout, `create  src/migrations/${path}\n`)
    }
  })

  it("is the first one in a folder without migrations", async () => {
    const { stdout } = await generate(await fresh(), "migration items")
    assert.strictEqual(stdout, "create  src/migrations/0001_items.sql\n")
  })
})

describe("flange generate client", { concurrent: true }, () => {
  it("warns of contracts that a browser cannot import, and refuses two of one name", async () => {
    const contract = (name: string, more = "") =>
      `${more}import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
       export class ${name} extends HttpApiGroup.make("a").add() {}`
    const folder = await fresh({
      "src/a/AApi.ts": contract("AApi", `import { x } from "./x.ts"\nimport { v7 } from "uuid"\n`),
      "src/a/x.ts": `import { Plugin } from "flange"\nimport type { Y } from "node:fs"\nexport const x = Plugin`
    })
    await write(folder, { "src/b/Broken.ts": "export class { HttpApiGroup" })
    await refused(
      folder,
      await generate(folder, "client"),
      "The file src/b/Broken.ts cannot be read: "
    )
    await rm(join(folder, "src/b"), { recursive: true })
    const { code, stderr, stdout } = await generate(folder, "client")
    assert.strictEqual(stdout, "create  src/client.ts\n")
    assert.include(
      stderr,
      "A browser cannot import AApi, because it imports flange (src/a/x.ts)\nNext: "
    )
    assert.strictEqual(code, 0)
    await rm(join(folder, "src/client.ts"))
    await write(folder, { "src/b/AApi.ts": contract("AApi") })
    await refused(
      folder,
      await generate(folder, "client"),
      "Contracts have the same name. Rename one of them:\n  AApi in src/a/AApi.ts\n  AApi in src/b/AApi.ts"
    )
  })
})

describe("flange generate undo", { concurrent: true }, () => {
  it("undoes one command after another, the last one first, with the folders", async () => {
    const folder = await fresh()
    await generate(folder, orders)
    const once = await readFile(join(folder, "src/app.ts"), "utf8")
    await generate(folder, "endpoint status")
    const { code, stdout } = await generate(folder, "undo")
    assert.strictEqual(
      stdout,
      "remove   src/status/StatusApi.ts\nremove   src/status/StatusPlugin.ts\nremove   test/status.test.ts\nrestore  src/app.ts\n"
    )
    assert.strictEqual(code, 0)
    assert.strictEqual(await readFile(join(folder, "src/app.ts"), "utf8"), once)
    const json = await generate(folder, "undo --json")
    assert.deepStrictEqual(JSON.parse(json.stdout), { removed: created, restored: ["src/app.ts"] })
    assert.strictEqual(await readFile(join(folder, "src/app.ts"), "utf8"), before)
    assert.deepStrictEqual(await readdir(folder), ["src"])
    assert.deepStrictEqual(await readdir(join(folder, "src")), ["app.ts"])
    assert.include((await generate(folder, "undo")).stderr, "or everything is undone")
  })

  it("names every file that was changed, and undoes nothing", async () => {
    const folder = await fresh()
    await generate(folder, orders)
    const mine = { "src/app.ts": "mine", "src/orders/Order.ts": "mine" }
    await write(folder, mine)
    const existing = await filesOf(folder)
    const { code, stderr } = await generate(folder, "undo")
    assert.include(
      stderr,
      "These files were changed since they were generated, so nothing was undone:\n  src/orders/Order.ts\n  src/app.ts\n"
    )
    assert.strictEqual(code, 2)
    assert.deepStrictEqual(await filesOf(folder), existing)
  })

  it("keeps a folder with other files, and does not miss a file that was removed", async () => {
    const folder = await fresh()
    await generate(folder, orders)
    await rm(join(folder, "test/orders.test.ts"))
    await write(folder, { "src/orders/mine.ts": "" })
    const { code, stdout } = await generate(folder, "undo")
    assert.notInclude(stdout, "test/orders.test.ts")
    assert.strictEqual(code, 0)
    assert.deepStrictEqual(await filesOf(folder), ["src/app.ts", "src/orders/mine.ts"])
  })

  it("refuses a record that is none, and paths outside of the project", async () => {
    const folder = await fresh()
    const outside = await fresh()
    for (const text of [
      "{",
      "[[7]]",
      JSON.stringify([[{ before: "x", hash: "", path: "../x" }]]),
      JSON.stringify([[{ before: "x", hash: "", path: join(outside, "src/app.ts") }]]),
      JSON.stringify([[{ before: "x", hash: "", path: "src/../../x" }]])
    ]) {
      await write(folder, { ".flange/generated.json": text })
      const { code, stderr } = await generate(folder, "undo")
      assert.include(stderr, "generated.json is not a record of what was generated: ")
      assert.strictEqual(code, 2)
    }
  })
})
