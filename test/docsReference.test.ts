// The documents against what they describe: generated parts, links, commands, codes and numbers.
import { existsSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { Catalogue, Config } from "flange"
import { Template } from "flange/Cli"
import { describe, expect, it } from "vitest"
import { child, isOpen, keysOf, type Nodes } from "../src/Config/SchemaTree.ts"
import { singleton } from "../src/Config/Tree.ts"
import * as Defaults from "../src/Server/Defaults.ts"
import { documents, fill, schemaDefaults, sections } from "../tools/reference.ts"

const root = join(import.meta.dirname, "..")
const read = (file: string) => readFileSync(join(root, file), "utf8")
const scripts: Record<string, string> = JSON.parse(read("package.json")).scripts
const project = Template.files({ flange: "0.1.0", name: "shop", template: "api" })
const projectScripts: Record<string, string> = JSON.parse(project["package.json"]!).scripts

/** Prose only: no fences. */
const proseOf = (file: string) => read(file).replaceAll(/^ *```[\s\S]*?^ *```$/gm, "")

const slugs = (file: string) =>
  [...proseOf(file).matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
    title!
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, "")
      .replaceAll(" ", "-")
  )

/** Tables that name something in code in each row, with the comment that explains their order. */
const namesIn = (file: string) =>
  [
    ...proseOf(file).matchAll(
      /(<!-- In this order: [^\n]+ -->\n+)?(?:<!-- reference [^\n]+ -->\n+)?((?:^\|.*\n){3,})/gm
    )
  ]
    .map(([, reason, table]) => ({
      names: table!
        .split("\n")
        .slice(2, -1)
        .map((row) => row.split("|")[1]!.trim()),
      reason
    }))
    .filter(({ names }) => names.every((name) => name.startsWith("`")))

const folded = (name: string) => name.replaceAll("`", "").toLowerCase()

describe.each(documents)("%s", (file) => {
  it("has the generated parts that its sources give (npm run reference)", () => {
    expect(read(file)).toBe(fill(read(file)))
  })

  it("has its tables of names in alphabetical order, or a comment with the reason", () => {
    for (const { names, reason } of namesIn(file)) {
      const sorted = names.toSorted((a, b) => (folded(a) < folded(b) ? -1 : 1))
      if (reason === undefined) expect(names).toEqual(sorted)
      else expect(names, "needs no comment").not.toEqual(sorted)
    }
  })

  it("links to what exists", () => {
    for (const [, target] of proseOf(file).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target!)) continue
      const [path, anchor] = target!.split("#")
      const to = path === "" ? file : join(dirname(file), path!)
      expect(existsSync(join(root, to)), target).toBe(true)
      if (anchor !== undefined) expect(slugs(to), target).toContain(anchor)
    }
  })

  it("names scripts that exist", () => {
    for (const [command, run, name] of read(file).matchAll(/\bnpm (run )?([a-z][\w:-]*)/g)) {
      if (run !== undefined || name === "start" || name === "test") {
        // Getting started makes a project, which has scripts of its own.
        const known = file === "docs/getting-started.md" ? projectScripts : scripts
        expect(known, command).toHaveProperty([name!])
      }
    }
  })
})

describe("the guides", () => {
  it("are all linked from README", () => {
    const linked = [...read("README.md").matchAll(/\]\((docs\/[^)#]+)\)/g)].map(([, to]) => to)
    expect(linked).toEqual(expect.arrayContaining(documents.filter((f) => f.startsWith("docs/"))))
  })

  it("give codes the status that the catalogue gives them", () => {
    const statuses = new Map(Catalogue.catalogue.map(({ code, status }) => [code, status]))
    const found = [...read("docs/request.md").matchAll(/ (\d{3}) ([A-Z][A-Z_]+)/g)]
    expect(found.length).toBeGreaterThan(10)
    for (const [, status, code] of found) {
      expect([code, Number(status)]).toEqual([code, statuses.get(code!)])
    }
  })

  it("count the time to stop from the default of app.drainTimeout", () => {
    const app = sections.find(({ section }) => section.sectionName === "app")!
    const timeout = app.keys.find(({ name }) => name === "drainTimeout")!.default
    const seconds = /\d+/.exec(timeout)![0]
    expect(read("docs/shutdown.md")).toContain(`above 10 + ${seconds},`)
  })
})

describe("docs/security.md", () => {
  const server = sections.find(({ section }) => section.sectionName === "server")!
  const others = ["h2c", "host", "listener", "port", "socket", "tls", "workers"]

  it("has every key of the server that is a limit or a rule, with its default", () => {
    const rows = [...read("docs/security.md").matchAll(/^\| `server\.(\w+)` +\| ([^|]+?) +\|/gm)]
    expect(rows.map(([, name, fallback]) => [name, fallback])).toEqual(
      server.keys
        .filter(({ name }) => !others.includes(name.split(".")[0]!))
        .map((key) => [key.name, key.default])
    )
  })
})

describe("AGENTS.md", () => {
  it("names parts of Effect that exist", async () => {
    const modules: Record<string, object> = {
      Context,
      Effect,
      Layer: await import("effect/Layer"),
      Schema: await import("effect/Schema")
    }
    const table = read("AGENTS.md").split("| Effect 4 ")[1]!
    const advised = table.split("\n").flatMap((row) => {
      const [, , advice = ""] = row.split("|")
      return [...advice.matchAll(/\b(Context|Effect|Layer|Schema)\.(\w+)/g)]
    })
    expect(advised.length).toBeGreaterThan(10)
    for (const [name, module, member] of advised) {
      expect(Object.keys(modules[module!]!), name).toContain(member)
    }
  })
})

describe("the catalogue", () => {
  it("has an entry for each error class", () => {
    const classes = Object.values<unknown>(Catalogue).flatMap((value) =>
      typeof value === "function" && "code" in value && "status" in value
        ? [`${value.code} ${value.status}`]
        : []
    )
    const entries = Catalogue.catalogue.map(({ code, status }) => `${code} ${status}`)
    expect(classes.length).toBeGreaterThan(10)
    expect(entries.toSorted()).toEqual(classes.toSorted())
  })

  it("has a meaning and a remedy for each error, by code", () => {
    for (const { code, meaning, remedy, status } of Catalogue.catalogue) {
      expect(meaning, code).toMatch(/^[A-Z].{9,}\.$/)
      expect(remedy, code).toMatch(/^[A-Z].{9,}\.$/)
      expect(status, code).toBeGreaterThanOrEqual(400)
    }
    const codes = Catalogue.catalogue.map(({ code }) => code)
    expect(codes).toEqual([...new Set(codes)].sort())
  })
})

/** The dotted keys of a schema that have no keys below them. */
const leavesOf = (nodes: Nodes): ReadonlyArray<string> =>
  keysOf(nodes).flatMap((key) => {
    const value = child(nodes, key)
    const below = isOpen(value) ? [] : leavesOf(value)
    return below.length === 0 ? [key] : below.map((leaf) => `${key}.${leaf}`)
  })

describe.each(sections)("the table of $file", ({ keys, section }) => {
  const name = section.sectionName

  it("has every key of the schema, in order", () => {
    const names = keys.map((key) => key.name)
    const top = names.map((key) => key.split(".")[0])
    expect([...new Set(top)]).toEqual(keysOf([section.schema.ast]))
    // A table may have an object as one key.
    const has = (leaf: string) => names.some((key) => `${leaf}.`.startsWith(`${key}.`))
    const leaves = leavesOf([section.schema.ast])
    expect(leaves.filter((leaf) => !has(leaf))).toEqual([])
    expect(names.filter((key) => !leaves.some((leaf) => `${leaf}.`.startsWith(`${key}.`)))).toEqual(
      []
    )
  })

  it("has short variables of keys that exist", () => {
    expect(keys.map((key) => key.name)).toEqual(
      expect.arrayContaining(Object.values(section.variables))
    )
  })

  it("gives the defaults of the schema", async () => {
    const defaults = await schemaDefaults(section)
    const decoded = (values: object) =>
      Effect.runPromise(
        Config.load({ sections: [section], values: { [name]: values }, variables: {} }).pipe(
          Effect.map(({ context }) => Context.getUnsafe(context, section)),
          Effect.provide(NodeServices.layer)
        )
      )
    for (const key of keys) {
      const schemaDefault = defaults.get(`${name}.${key.name}`)
      if (schemaDefault === undefined) continue
      if (schemaDefault === "[]" || schemaDefault === "{}") {
        expect(key.default, key.name).toBe("none")
        continue
      }
      // A run of the tests on another listener has that as the default.
      const text = key.name === "listener" ? Defaults.listener : key.default.replaceAll("`", "")
      const values = /^(\d+(\.\d+)?|true|false)$/.test(text)
        ? [JSON.parse(text), text]
        : [text, text.split(", "), text.split(", ").map(Number)]
      const written = await Promise.any(
        values.map((value) => decoded(singleton(key.name.split("."), value)))
      )
      expect(written, key.name).toEqual(await decoded({}))
    }
  })
})
