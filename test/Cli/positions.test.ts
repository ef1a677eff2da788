// Where a bundle has the files of the app, of its packages, and of folders beside it.
import { mkdir, symlink } from "node:fs/promises"
import { join } from "node:path"
import { assert, beforeAll, describe, it } from "vitest"
import { emptyFolder, flange, moved, type Ran, run, write } from "./project.ts"

const text = (path: string): string => `readFileSync(new URL("${path}", import.meta.url), "utf8")`

/** With more than eight entries, those of modules on demand come first. */
const onDemand = Array.from({ length: 9 }, (_, index) => `src/late/${index}.ts`)

const files = {
  ...Object.fromEntries(
    onDemand.map((path) => [`app/${path}`, `export const late = ${JSON.stringify(path)}`])
  ),
  "app/node_modules/named/index.js": `
    import { readFileSync } from "node:fs"
    export const named = ${text("./x.txt")}`,
  "app/node_modules/named/package.json": `{"name":"named","type":"module"}`,
  "app/node_modules/named/x.txt": "package",
  "app/named/x.txt": "own",
  "app/package.json": `{"name":"app","type":"module"}`,
  "app/shared/x.txt": "inside",
  "app/src/Later.ts": `import { data } from "./data.ts"\nexport const make = data`,
  "app/src/inner/package.json": `{"type":"module"}`,
  "app/src/inner/read.ts": `
    import { readFileSync } from "node:fs"
    const page = (name: string) => readFileSync(new URL(\`../pages/\${name}\`, import.meta.url), "utf8")
    export const read = () => page("x.txt")`,
  "app/src/pages/x.txt": "page",
  "app/src/c#/100%?.txt": "path",
  "app/src/c#/Work#.ts": `import { data } from "../data.ts"\ndata()`,
  "app/src/c#/read.ts": `
    import { readFileSync } from "node:fs"
    import { join } from "node:path"
    import { Worker } from "node:worker_threads"
    new Worker(new URL("./Work%23.ts", import.meta.url))
    export const texts = [
      ${text("./100%25%3F.txt")}, readFileSync(join(import.meta.dirname, "100%?.txt"), "utf8")
    ]`,
  "app/src/main.ts": `
    import { readFileSync } from "node:fs"
    import { Worker } from "node:worker_threads"
    import { named } from "named"
    import { texts } from "./c#/read.ts"
    import { read } from "./inner/read.ts"
    const { make } = await import("./Later.ts")
    ${onDemand.map((path) => `await import("../${path}")`).join("\n")}
    new Worker(new URL("./Work.ts", import.meta.url))
    if (import.meta.main) console.log(JSON.stringify([
      named, ${text("../named/x.txt")}, ${text("../shared/x.txt")}, ${text("../../shared/x.txt")},
      ${text("../../other/shared/x.txt")}, read(), make(), ...texts
    ]))`,
  "app/src/Work.ts": `import { data } from "./data.ts"\ndata()`,
  "app/src/data.ts": `export const data = (): string => "later"`,
  "app/src/twice.ts": `
    import { readFileSync } from "node:fs"
    import { Worker } from "node:worker_threads"
    new Worker(new URL("./Work.ts", import.meta.url))
    console.log(${text("./Work.mjs")})`,
  "app/src/Work.mjs": `console.log("another")`,
  "other/shared/package.json": `{"name":"shared"}`,
  "other/shared/x.txt": "other",
  "shared/package.json": `{"name":"shared"}`,
  "shared/x.txt": "outside"
}

describe("The files of a bundle", () => {
  let folder: string
  let built: Ran
  beforeAll(async () => {
    folder = await emptyFolder()
    await write(folder, files)
    await symlink("app", join(folder, "linked"))
    // The same app by its link: Node runs a module from its real path.
    const args = [
      "build",
      "linked/src/main.ts",
      "--asset",
      "linked/src/pages",
      "--out",
      "dist/a.mjs"
    ]
    built = await flange(folder, ...args)
    assert.strictEqual(built.code, 0, built.stderr)
  })

  it("have positions of their own, whatever their folders and packages are called", async () => {
    const { stderr, stdout } = await run(["a.mjs"], { cwd: await moved(folder) })
    assert.strictEqual(stderr, "")
    const all = ["package", "own", "inside", "outside", "other", "page", "later", "path", "path"]
    assert.deepStrictEqual(JSON.parse(stdout), all)
  })

  it("are no cause of a warning about exports of modules that load on demand", () => {
    assert.notInclude(built.stderr, "a program exports nothing")
  })

  it("are refused if two of them would have one position", async () => {
    const { code, stderr } = await flange(join(folder, "app"), "build", "src/twice.ts")
    assert.strictEqual(code, 1)
    assert.match(
      stderr,
      /src\/Work\.\w+ and \S+src\/Work\.\w+ would both be assets\/src\/Work\.mjs in the bundle\. Rename one of them\./
    )
  })

  it.each([
    ["loop", "..", "is a link to a folder that contains it, so the copy would have no end."],
    ["lost", "nowhere", "is a link to a file that does not exist."]
  ])("are refused if a link among them is a %s", async (name, target, message) => {
    const tree = join(folder, "app", name, "in")
    await mkdir(tree, { recursive: true })
    await symlink(target, join(tree, "link"))
    const { code, stderr } = await flange(
      join(folder, "app"),
      "build",
      "src/main.ts",
      "--asset",
      name,
      "--out",
      `${name}-out/app.mjs`
    )
    assert.strictEqual(code, 1)
    assert.include(stderr, `${join(tree, "link")} ${message}`)
  })
})
