import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, beforeAll, describe, it } from "vitest"
import { socketListener } from "../matrix/combination.ts"
import { emptyFolder, flange, node, project } from "./project.ts"

const root = join(import.meta.dirname, "../..")

const twin = (version: number) => ({
  "data.txt": "",
  "index.js": `exports.at = __dirname`,
  "package.json": `{"name":"twin","version":"${version}.0.0"}`
})

const at = (folder: string, files: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(files).map(([name, text]) => [`${folder}/${name}`, text]))

let folder: string
let wrong: string
beforeAll(async () => {
  folder = await emptyFolder()
  wrong = await project(
    {
      ...at("node_modules/twin", twin(1)),
      ...at("node_modules/uses/node_modules/twin", twin(2)),
      "jobs/job.ts": `import "./other.ts"`,
      "node_modules/beside/index.js": `exports.at = __dirname`,
      "node_modules/beside/package.json": `{"name":"beside"}`,
      "node_modules/needs/index.js": `exports.peer = () => require("peer")`,
      "node_modules/needs/package.json": `{"name":"needs","peerDependencies":{"peer":"1"}}`,
      "node_modules/uses/index.js": `export * from "twin"`,
      "node_modules/uses/package.json": `{"name":"uses","type":"module"}`,
      "package.json": `{"name":"shop","type":"module"}`,
      "src/main.ts": `console.log(1)`,
      "src/missing.ts": `import "nothing"`,
      "src/taken.ts": `import beside from "beside"\nconsole.log(beside)`,
      "src/two.ts": `import * as a from "twin"\nimport * as b from "uses"\nconsole.log(a, b)`,
      "src/warned.ts": `import needs from "needs"
        export const app = [needs, import("@electric-sql/pglite"), new URL("../jobs", import.meta.url)]`,
      "taken/node_modules/mine.txt": ""
    },
    ["@electric-sql/pglite"]
  )
})

describe("flange build", () => {
  it("bundles an app into one file with a source map, which serves without node_modules", async () => {
    const out = join(folder, "app.mjs")
    const { stdout } = await flange(root, "build", "examples/hello/main.ts", "--out", out)
    assert.match(stdout, /app\.mjs \d+ KiB/)
    const { sources } = JSON.parse(await readFile(`${out}.map`, "utf8"))
    assert.isTrue(sources.some((source: string) => source.endsWith("examples/hello/main.ts")))

    // An ES import of it would load Node's own HTTP client at start.
    assert.notMatch(await readFile(out, "utf8"), /from\s*"(?:node:)?https?"/)

    const child = spawn(node, ["--enable-source-maps", out], {
      cwd: folder,
      env: {
        FLANGE__SERVER__LISTENER: socketListener,
        HOST: "127.0.0.1",
        PATH: process.env["PATH"],
        PORT: "0"
      }
    })
    const exit = once(child, "exit")
    let output = ""
    const url = await new Promise<string | undefined>((resolve) => {
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        output += text
        const [, found] = /listens on (http:\S+)\n/.exec(output) ?? []
        if (found !== undefined) resolve(found)
      })
      child.once("exit", () => resolve(undefined))
    })
    assert.isDefined(url, output)
    const reply = await fetch(`${url}/hello/Ada`)
    assert.deepStrictEqual(await reply.json(), { message: "Hello, Ada" })
    child.kill("SIGTERM")
    assert.strictEqual((await exit)[0], 0)
  })

  it.each([
    ["nowhere.ts", "Cannot build nowhere.ts: the file does not exist"],
    ["src", "Cannot build src: it is a folder. Write the program in it, such as src/main.ts"],
    ["src/main.ts --out dist", "--out dist is not the name of a module"],
    ["src/main.ts --out app.mjs", "the folder of --out app.mjs contains the sources"],
    [
      "src/main.ts --external nowhere",
      "--external nowhere is not installed, so it cannot be copied"
    ],
    ["src/main.ts --asset nowhere", "--asset nowhere does not exist"],
    ["src/main.ts --asset .", "--asset . contains the folder of --out dist/app.mjs"],
    [
      "src/taken.ts --out taken/app.mjs",
      "exists, and an earlier build of app.mjs did not write it"
    ],
    ["src/missing.ts", 'src/missing.ts:1:7: ERROR: Could not resolve "nothing"'],
    ["src/two.ts", "two versions of twin would have to be copied beside the bundle"]
  ])("refuses %j with exit code 1, and says why", async (args, message) => {
    const { code, stderr } = await flange(wrong, "build", ...args.split(" ").filter(Boolean))
    assert.include(stderr, message)
    assert.strictEqual(code, 1)
    assert.isFalse(existsSync(join(wrong, "dist")))
  })

  it("bundles the usual program if none is named, and refuses a folder without one with exit code 2", async () => {
    const usual = await project({ "src/main.ts": "console.log(1)" })
    const [built, { code, stderr }] = await Promise.all([
      flange(usual, "build"),
      flange(await project({}), "build")
    ])
    assert.match(built.stdout, /^dist\/app\.mjs \d+ KiB\n/)
    assert.include(stderr, "there is no src/app.ts, app.ts, src/main.ts or main.ts")
    assert.strictEqual(code, 2)
  })

  it("warns of a program that exports, modules in copied folders, absent peers and PGlite", async () => {
    const { stderr } = await flange(wrong, "build", "src/warned.ts", "--out", "warned/app.mjs")
    assert.include(stderr, "src/warned.ts exports app, and a program exports nothing.")
    assert.include(stderr, "jobs/job.ts is copied as it is, without what it imports.")
    assert.include(stderr, "peer is not installed, and node_modules/needs/index.js fails")
    assert.include(stderr, '@electric-sql/pglite is not in "dependencies" of package.json')
    assert.lengthOf(stderr.match(/^warning:/gm) ?? [], 4)
  })

  it("prints what the guide shows", async () => {
    const guide = await readFile(join(root, "docs/deployment.md"), "utf8")
    const [, command, output] = /```console\n\$ npx flange (.*)\n([^]*?)```/.exec(guide)!
    const args = command!.replace("build/", `${folder}/guide/`).split(" ")
    const { stderr, stdout } = await flange(root, ...args)
    const blanked = (text: string) => text.replaceAll(/\d+ KiB/g, "<size>")
    assert.strictEqual(
      blanked((stdout + stderr).replaceAll(`${folder}/guide/`, "build/")),
      blanked(output!)
    )
  })
})
