import { readdir, readFile, rm, symlink } from "node:fs/promises"
import { join } from "node:path"
import { assert, beforeAll, describe, it } from "vitest"
import { copyNative, flange, moved, project, type Ran, run, write } from "./project.ts"

const files = {
  "native/load.cjs": `
    const note = require("node:path").resolve(__dirname, "note.txt")
    module.exports = { ...require("./parser.node"), note: require("node:fs").readFileSync(note, "utf8") }`,
  "native/note.txt": "note",
  "node_modules/absent/index.js": `
    let native
    try { native = require("absent-native") } catch { native = "none" }
    exports.native = native
    exports.use = () => require("absent-peer")`,
  "node_modules/absent/package.json": `{"name":"absent","version":"1.0.0","peerDependencies":{"absent-peer":"1"},"peerDependenciesMeta":{"absent-peer":{"optional":true}}}`,
  "node_modules/beside/data.txt": "beside",
  "node_modules/common/index.js": "exports.state = {}",
  "node_modules/common/package.json": `{"name":"common"}`,
  "node_modules/beside/index.js": `
    const { readFileSync } = require("node:fs")
    const path = require("node:path")
    const shared = require("shared")
    exports.text = () => readFileSync(path.join(__dirname, "data.txt"), "utf8")
    exports.file = () => path.basename(require.resolve("./lib/other.js"))
    exports.plugin = (name) => require("./lib/" + name)
    exports.shared = shared
    exports.common = require("common")`,
  "node_modules/beside/lib/other.js": `exports.version = require("shared/package.json").version`,
  "node_modules/beside/node_modules/shared/index.js": `exports.version = 2`,
  "node_modules/beside/node_modules/shared/package.json": `{"name":"shared","version":"2.0.0"}`,
  "node_modules/beside/package.json": `{"name":"beside","version":"1.0.0","dependencies":{"common":"1","shared":"2"}}`,
  "node_modules/shared/index.js": `exports.version = 1`,
  "node_modules/shared/package.json": `{"name":"shared","version":"1.0.0"}`,
  "node_modules/styled/index.js": `
    import { readFileSync } from "node:fs"
    export const css = () => readFileSync(new URL("./data/style.css", import.meta.url), "utf8")`,
  "node_modules/styled/data/style.css": "b {}",
  "node_modules/styled/package.json": `{"name":"styled","version":"1.0.0","type":"module"}`,
  "package.json": `{"name":"shop","type":"module"}`,
  "src/double.ts": `export const double = (n: number): number => n * 2\n`,
  "src/child.ts": `import { double } from "./double.ts"\nprocess.send!(double(4))\n`,
  "src/mail/send.ts": `
    import { readFileSync } from "node:fs"
    import { createRequire } from "node:module"
    import { join } from "node:path"
    const load = createRequire(import.meta.url)
    export const later = () => load("beside")
    export const template = (name: string): string =>
      readFileSync(new URL(\`../templates/\${name}.html\`, import.meta.url), "utf8")
    export const footer = readFileSync(join(import.meta.dirname, "footer.txt"), "utf8")
    export const isMain = import.meta.main
  `,
  "src/mail/footer.txt": "footer",
  "src/main.ts": `
    import { fork } from "node:child_process"
    import { once } from "node:events"
    import { readFileSync } from "node:fs"
    import { pathToFileURL } from "node:url"
    import { Worker } from "node:worker_threads"
    import absent from "absent"
    import beside from "beside"
    import common from "common"
    import { parseSync } from "oxc-parser"
    import shared from "shared"
    import { css } from "styled"
    import native from "../native/load.cjs"
    import { double } from "./double.ts"
    import { footer, isMain, template } from "./mail/send.ts"

    // A text is not an expression: new URL("./nowhere", import.meta.url)
    const text = 'new URL("./nowhere", import.meta.url)'
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData: 3 })
    const [fromWorker] = await once(worker, "message")
    const [fromChild] = await once(fork(new URL("./child.ts", import.meta.url)), "message")
    const used = (() => { try { return absent.use() } catch (error) { return (error as Error).message.split("\\n")[0] } })()
    const never = [
      (name: string) => import(name),
      () => new Worker("./x.js"),
      new URL("./nothing.txt", import.meta.url),
      new URL("..", import.meta.url)
    ]
    const fails = (): never => { throw new Error("mapped") }
    const stack = (() => { try { return fails() } catch (error) { return (error as Error).stack!.split("\\n")[1] } })()
    console.log(JSON.stringify({
      absent: [absent.native, used],
      beside: [beside.text(), beside.file(), beside.plugin("other").version, beside.shared.version],
      common: common.state === beside.common.state,
      css: css(),
      footer,
      fromChild,
      fromWorker,
      never: never.length,
      isMain,
      isProgram: import.meta.url === pathToFileURL(process.argv[1]!).href,
      native: typeof native.parseSync,
      note: native.note,
      page: readFileSync(new URL("../public/page.html", import.meta.url), "utf8"),
      parsed: parseSync("a.js", "1").program.type,
      shared: shared.version,
      six: double(3),
      stack,
      template: template("welcome"),
      text
    }))
  `,
  "src/templates/welcome.html": "welcome",
  "src/worker.ts": `
    import { parentPort, workerData } from "node:worker_threads"
    import { double } from "./double.ts"
    parentPort!.postMessage(double(workerData))
  `,
  "public/page.html": "page"
}

describe("A bundle", () => {
  let folder: string
  let built: Ran
  let app: string
  let ran: Ran
  let result: Record<string, unknown>
  beforeAll(async () => {
    folder = await project(files, ["oxc-parser"])
    await copyNative(join(folder, "native/parser.node"))
    built = await flange(folder, "build", "src/main.ts", "--asset", "src/templates")
    assert.strictEqual(built.code, 0, built.stderr)
    app = await moved(folder)
    ran = await run(["--enable-source-maps", "app.mjs"], { cwd: app })
    assert.strictEqual(ran.code, 0, ran.stderr)
    result = JSON.parse(ran.stdout)
  })

  it("has the files that modules of the app name by URL, or by their folder", () => {
    assert.deepInclude(result, { footer: "footer", note: "note", page: "page" })
  })

  it("has the files of --asset where a computed URL finds them", () => {
    assert.strictEqual(result["template"], "welcome")
  })

  it("has the files that a bundled package names by URL", async () => {
    assert.strictEqual(result["css"], "b {}")
    assert.notInclude(await readdir(join(app, "node_modules")), "styled")
  })

  it("runs workers and child processes that are written in TypeScript", () => {
    assert.deepInclude(result, { fromChild: 8, fromWorker: 6, six: 6 })
  })

  it("has packages that use __dirname, require.resolve or a computed require, with what they need", () => {
    assert.deepStrictEqual(result["beside"], ["beside", "other.js", "2.0.0", 2])
    assert.strictEqual(result["shared"], 1)
  })

  it("has one instance of a package that it shares with a copied package", () => {
    assert.strictEqual(result["common"], true)
  })

  it("has native code of the app and of packages, whose platforms are packages of their own", () => {
    assert.deepInclude(result, { native: "function", parsed: "Program" })
  })

  it("starts without the optional packages that were not installed, and names one that is used", () => {
    assert.deepStrictEqual(result["absent"], ["none", "Cannot find module 'absent-peer'"])
  })

  it("is the main module only for its program", () => {
    assert.deepInclude(result, { isMain: false, isProgram: true })
  })

  it("leaves texts alone that look like URLs of modules", () => {
    assert.strictEqual(result["text"], 'new URL("./nowhere", import.meta.url)')
    assert.notInclude(built.stderr, "nowhere")
  })

  it("has stack traces with the lines of the sources", () => {
    const line = files["src/main.ts"].split("\n").findIndex((text) => text.includes("mapped")) + 1
    assert.include(result["stack"] as string, `src/main.ts:${line}:`)
  })

  it("is reported with its files, their sizes and why they are there", () => {
    assert.match(built.stdout, /^dist\/app\.mjs \d+ KiB$/m)
    assert.match(
      built.stdout,
      /^dist\/assets\/public\/page\.html 1 file, 1 KiB \(public\/page\.html\)$/m
    )
    assert.match(
      built.stdout,
      /^dist\/node_modules\/beside \d files, 1 KiB \(index\.js:\d finds files by its position\)$/m
    )
  })

  it("is built with a warning for what is known only at run time, with place and remedy", () => {
    assert.match(
      built.stderr,
      /^warning: src\/mail\/send\.ts:8: .*new URL\(`\.\.\/templates.*\n.*--asset PATH/m
    )
    assert.match(
      built.stderr,
      /^warning: src\/mail\/send\.ts:5: .*createRequire.*\n.*--external NAME/m
    )
    assert.match(
      built.stderr,
      /^warning: src\/main\.ts:\d+: .*import\(name\).*\n.*--external NAME/m
    )
    assert.match(
      built.stderr,
      /^warning: src\/main\.ts:\d+: .*new Worker\("\.\/x\.js"\).*\n.*new URL/m
    )
    assert.match(
      built.stderr,
      /^warning: src\/main\.ts:\d+: .*nothing\.txt.*\n.*src\/nothing\.txt does not exist/m
    )
    assert.match(
      built.stderr,
      /^warning: src\/main\.ts:\d+: .*"\.\.", import.*\n.*contains the module itself/m
    )
    assert.lengthOf(built.stderr.match(/^warning:/gm) ?? [], 6)
  })

  it("has no file of an earlier build, and no file of the app is removed", async () => {
    await write(folder, {
      "src/small.ts": `import x from "beside"; console.log(x.text(), new URL("../public/page.html", import.meta.url).pathname)`
    })
    await flange(folder, "build", "src/small.ts")
    await write(folder, { "dist/assets/mine.txt": "mine", "src/small.ts": "console.log(1)" })
    const again = await flange(folder, "build", "src/small.ts")
    assert.strictEqual(again.code, 0, again.stderr)
    assert.sameMembers(await readdir(join(folder, "dist"), { recursive: true }), [
      "app.mjs",
      "app.mjs.map",
      "assets",
      "assets/mine.txt"
    ])
    assert.strictEqual(await readFile(join(folder, "public/page.html"), "utf8"), "page")
  })

  it("that failed halfway is replaced by the next one", async () => {
    await write(folder, {
      "src/halfway.ts": `import x from "beside"; console.log(x.text(), new URL("../public/page.html", import.meta.url).pathname)`
    })
    const build = () => flange(folder, "build", "src/halfway.ts", "--out", "halfway/app.mjs")
    const broken = join(folder, "node_modules/beside/zz-broken")
    await symlink("nowhere", broken)
    assert.strictEqual((await build()).code, 1)
    assert.include(await readdir(join(folder, "halfway")), "node_modules")
    await rm(broken)
    const { code, stderr } = await build()
    assert.strictEqual(code, 0, stderr)
    await rm(join(folder, "halfway"), { recursive: true })
  })

  it.each([
    ["has a file of the app in its folder", "assets/mine.txt", "kept/assets/mine.txt exists, and"],
    ["has lost the list of its files", "app.mjs.files.json", "app.mjs.files.json is not the list"]
  ])("that %s stays as it is, and the next build is refused", async (_, file, message) => {
    await write(folder, {
      "src/kept.ts": `import x from "beside"; console.log(x.text(), new URL("../public/page.html", import.meta.url).pathname)`
    })
    const build = () => flange(folder, "build", "src/kept.ts", "--out", "kept/app.mjs")
    assert.strictEqual((await build()).code, 0)
    await write(folder, { [`kept/${file}`]: "mine" })
    const before = await readdir(join(folder, "kept"), { recursive: true })
    const { code, stderr } = await build()
    assert.strictEqual(code, 1)
    assert.include(stderr, message)
    assert.sameMembers(await readdir(join(folder, "kept"), { recursive: true }), before)
    await rm(join(folder, "kept"), { recursive: true })
  })
})
