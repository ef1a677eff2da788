// How `flange generate` adds a plugin to the file of an app, and what it reads in the file.
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { assert, describe, it } from "vitest"
import * as ActionFiles from "../../src/Cli/Generate/ActionFiles.ts"
import * as AppSource from "../../src/Cli/Generate/AppSource.ts"
import * as Syntax from "../../src/Cli/Generate/Syntax.ts"
import { emptyFolder, write } from "./project.ts"

const parse = await Effect.runPromise(Syntax.parser)

const read = async (files: Readonly<Record<string, string>>) => {
  const folder = await emptyFolder()
  await write(folder, files)
  const file = join(folder, "app.ts")
  return Effect.runPromise(AppSource.read(parse, { file, root: folder, tests: "test" }))
}

const head = `import { App, Preset } from "flange"\n`
const added = `import { X } from "./x/X.ts"\n`

const wired = async (text: string, elements = ["X"]): Promise<string | undefined> =>
  AppSource.wired(await read({ "app.ts": text }), {
    elements,
    plugin: { name: "X", source: "./x/X.ts" }
  })

describe("a plugin is added to", () => {
  it.each<[string, string, string]>([
    ["a list on one line", `App.make("a", [A, B])`, `App.make("a", [A, B, X])`],
    ["an empty list", `App.make("a", [])`, `App.make("a", [X])`],
    ["a list with spaces inside", `App.make("a", [ A ])`, `App.make("a", [ A, X ])`],
    ["a list with a late comma", `App.make("a", [A,])`, `App.make("a", [A, X,])`],
    [
      "a list with spreads and options after it",
      `App.make("a", [...Preset.api, ...more], { config })`,
      `App.make("a", [...Preset.api, ...more, X], { config })`
    ],
    [
      "a list with a line for each plugin",
      `App.make("a", [\n  A,\n  B\n])`,
      `App.make("a", [\n  A,\n  B,\n  X\n])`
    ],
    [
      "a list with a line for each plugin and a late comma",
      `App.make("a", [\n\tA,\n\tB,\n])`,
      `App.make("a", [\n\tA,\n\tB,\n\tX,\n])`
    ],
    [
      "a list with a comment after the last plugin",
      `App.make("a", [\n  A, // one, [two]\n  B // ], three\n  /* four, */\n])`,
      `App.make("a", [\n  A, // one, [two]\n  B, // ], three\n  /* four, */\n  X\n])`
    ],
    [
      "a list with a comment after the late comma",
      `App.make("a", [\n  A, // one\n])`,
      `App.make("a", [\n  A, // one\n  X,\n])`
    ],
    [
      "a list with nothing but a comment",
      `App.make("a", [\n  // later\n])`,
      `App.make("a", [\n  // later\n  X\n])`
    ],
    [
      "a list that ends on the line of its last plugin",
      `App.make("a", [A,\n  B])`,
      `App.make("a", [A,\n  B, X])`
    ],
    [
      "a list that becomes too long for its line",
      `export const app = App.make("a", [...Preset.api, FirstPlugin, SecondPlugin, ThirdPlugin, FourthPlugin])`,
      `export const app = App.make("a", [\n  ...Preset.api,\n  FirstPlugin,\n  SecondPlugin,\n  ThirdPlugin,\n  FourthPlugin,\n  X\n])`
    ],
    [
      "a list in a constant",
      `const id = "a"\nconst plugins = [A] as const\nexport const app = App.make(id, plugins)`,
      `const id = "a"\nconst plugins = [A, X] as const\nexport const app = App.make(id, plugins)`
    ],
    [
      "a list that satisfies a type",
      `App.make("a", [A] satisfies ReadonlyArray<Any>)`,
      `App.make("a", [A, X] satisfies ReadonlyArray<Any>)`
    ],
    ["a list in parentheses", `App.make("a", ([A]))`, `App.make("a", ([A, X]))`],
    [
      "the app that the file runs",
      `App.run(\n  App.make("a", [\n    A\n  ])\n)`,
      `App.run(\n  App.make("a", [\n    A,\n    X\n  ])\n)`
    ],
    [
      "the app of several that is exported as app",
      `export const other = App.make("b", [B])\nexport const app = App.make("a", [A])`,
      `export const other = App.make("b", [B])\nexport const app = App.make("a", [A, X])`
    ],
    [
      "an app with a wrong type",
      `const n: string = 7\nApp.make("a", [A, undefinedPlugin])`,
      `const n: string = 7\nApp.make("a", [A, undefinedPlugin, X])`
    ]
  ])("%s", async (_, before, after) => {
    assert.strictEqual(await wired(`${head}${before}\n`), `${head}${added}${after}\n`)
  })

  it("an app whose import has another name", async () => {
    for (const [statement, name] of [
      [`import { App as Service } from "flange"`, "Service"],
      [`import * as Flange from "flange"`, "Flange.App"]
    ]) {
      assert.strictEqual(
        await wired(`${statement}\n${name}.make("a", [])`),
        `${statement}\n${added}${name}.make("a", [X])`
      )
    }
  })

  it("several lines at once", async () => {
    assert.strictEqual(
      await wired(`${head}App.make("a", [A])`, ["T.transactional()", "X"]),
      `${head}${added}App.make("a", [A, T.transactional(), X])`
    )
  })

  it("a file with the line ends of Windows", async () => {
    const text = `${head}\nApp.make("a", [\n  A // one\n])\n`.replaceAll("\n", "\r\n")
    const after = `${head}${added}\nApp.make("a", [\n  A, // one\n  X\n])\n`
    assert.strictEqual(await wired(text), after.replaceAll("\n", "\r\n"))
  })

  it.each([
    ["whose list is a call", `${head}App.make("a", pluginsOf())`],
    ["whose list is imported", `${head}import { all } from "./all.ts"\nApp.make("a", all)`],
    ["without an app", `${head}const app = 1`],
    ["with another App", `import { App } from "./App.ts"\nApp.make("a", [])`],
    ["with two apps that are not exported", `${head}App.make("a", [A])\nApp.make("b", [B])`]
  ])("no file %s", async (_, text) => {
    assert.isUndefined(await wired(text))
  })
})

describe("the import is added", () => {
  it.each<[string, string, string]>([
    [
      "between those around it",
      `import { App } from "flange"\nimport { A } from "./a/A.ts"\nimport { Y } from "./y/Y.ts"\n`,
      `import { App } from "flange"\nimport { A } from "./a/A.ts"\nimport { X } from "./x/X.ts"\nimport { Y } from "./y/Y.ts"\n`
    ],
    [
      "in the style of the others",
      `import { App } from 'flange'; // the app\nimport { Y } from './y/Y.ts';\n`,
      `import { App } from 'flange'; // the app\nimport { X } from './x/X.ts';\nimport { Y } from './y/Y.ts';\n`
    ],
    [
      "after packages whose names come later",
      `import { App } from "flange"\nimport z from "zod"\n`,
      `import { App } from "flange"\nimport z from "zod"\nimport { X } from "./x/X.ts"\n`
    ],
    [
      "before files, and after the comment of the module",
      `/** The app. */\nimport { Y } from "./y/Y.ts"\nimport { App } from "flange"\n`,
      `/** The app. */\nimport { Y } from "./y/Y.ts"\nimport { App } from "flange"\nimport { X } from "./x/X.ts"\n`
    ]
  ])("%s", async (_, before, after) => {
    assert.strictEqual(await wired(`${before}App.make("a", [])`), `${after}App.make("a", [X])`)
  })
})

describe("the file of an app shows", () => {
  it("its database, transactions, chains of authentication, id and export", async () => {
    const app = await read({
      "app.ts": `import { App } from "flange"
        import { AuthPlugin } from "./AuthPlugin.ts"
        import { database } from "./data.ts"
        const id = "shop"
        const shop = App.make(id, [AuthPlugin, ...database])
        export { shop as default }`,
      "AuthPlugin.ts": `import * as Auth from "flange/Auth"
        export const AuthPlugin = Auth.plugin({ chains: { partners: a, "by-key": b }, default: c })`,
      "data.ts": `import * as Db from "flange/Database"
        export const database = [Db.plugin, Db.autocommit]`
    })
    const { chains, exportName, hasDatabase, hasTransactions, id } = app
    assert.deepStrictEqual(
      { chains, exportName, hasDatabase, hasTransactions, id },
      {
        chains: ["by-key", "partners"],
        exportName: "default",
        hasDatabase: true,
        hasTransactions: true,
        id: "shop"
      }
    )
  })

  it("nothing of the kind if it only has the words", async () => {
    const { chains, hasDatabase, hasTransactions } = await read({
      "app.ts": `${head}import * as Database from "./Database.ts"
        // Database.plugin of "flange/Database", Auth.plugin of "flange/Auth"
        const Auth = { plugin: () => Database.plugin }
        export const app = App.make("a", [Auth.plugin(), Database.transactional()])`
    })
    assert.deepStrictEqual([chains, hasDatabase, hasTransactions], [undefined, false, false])
  })

  it("the default export, and constants of several declarations", async () => {
    for (const [text, name] of [
      [`export default App.make("a", [])`, "default"],
      [`export const x = 1, shop = App.make("a", []) as Any`, "shop"],
      [`const app = App.make("a", [])\nexport { app }`, "app"],
      [`const app = App.make("a", [])`, undefined]
    ] as const) {
      assert.strictEqual((await read({ "app.ts": head + text })).exportName, name, text)
    }
  })

  it("nothing if it has an error of syntax, but the line of the error", async () => {
    const error = await read({ "app.ts": `${head}export const app = App.make("a", [\n` }).catch(
      String
    )
    assert.match(String(error), /cannot be read: .* \(.*app\.ts:\d\)\. Correct it first/)
  })
})

describe("an action is added to", () => {
  const plugin = (text: string) => {
    const source = `import { Plugin } from "flange"\nexport const P = ${text}\n`
    return ActionFiles.added(parse("P.ts", source), "X", "./X.ts")
  }
  const after = (text: string) =>
    `import { Plugin } from "flange"\nimport { X } from "./X.ts"\nexport const P = ${text}\n`

  it.each([
    [`Plugin.make("p", {})`, `Plugin.make("p", { actions: [X] })`],
    [`Plugin.make("p", { layer })`, `Plugin.make("p", { actions: [X], layer })`],
    [
      `Plugin.make("p", {\n  layer,\n  routes: []\n})`,
      `Plugin.make("p", {\n  actions: [X],\n  layer,\n  routes: []\n})`
    ],
    [
      `Plugin.make("p", {\n  // The service.\n  layer\n})`,
      `Plugin.make("p", {\n  actions: [X],\n  // The service.\n  layer\n})`
    ],
    [
      `Plugin.make("p", {\n  actions: [A],\n  layer\n})`,
      `Plugin.make("p", {\n  actions: [A, X],\n  layer\n})`
    ]
  ])("%j", (before, expected) => {
    assert.strictEqual(plugin(before), after(expected))
  })

  it.each([
    `Plugin.make("p")`,
    `Plugin.make("p", options())`,
    `[Plugin.make("a", {}), Plugin.make("b", {})]`,
    `Plugin.make("p", { actions: all() })`
  ])("not to %j", (text) => {
    assert.isUndefined(plugin(text))
  })
})

it("the examples can be extended", async () => {
  for (const name of ["recipe-api", "sample-api"]) {
    const text = await readFile(join(import.meta.dirname, `../../examples/${name}/app.ts`), "utf8")
    const after = await wired(text)
    assert.match(after!, /,\n {2,4}X\n {0,2}\]/)
  }
})
