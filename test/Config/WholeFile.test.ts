/** Files that are replaced whole, and those that cannot be. */
import { spawnSync } from "node:child_process"
import {
  chmodSync,
  linkSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import * as Output from "../../src/Cli/Bundle/Output.ts"
import * as WholeFile from "../../src/Config/WholeFile.ts"
import * as Cassette from "../../src/Layers/Outgoing/Double/Cassette.ts"

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flange-whole-"))
})

afterEach(() => {
  chmodSync(folder, 0o700)
  rmSync(folder, { recursive: true })
})

const exchange = (url: string) => ({
  request: { method: "GET", url },
  response: { body: "", status: 200 }
})

const importing = `import { write } from ${JSON.stringify(new URL("../../src/Config/WholeFile.ts", import.meta.url).href)}`

/** A program without anything beside it. */
const program = (text: string, path: string) => ({
  assets: [],
  outputs: [{ contents: new TextEncoder().encode(text), hash: "", path, text }],
  packages: new Map(),
  stubs: new Map(),
  warnings: []
})

describe("a process that is killed while it writes leaves the old file of", () => {
  // A second name of a file keeps what is in it, unless the file is written in place.
  it.each<[what: string, name: string, write: (path: string, text: string) => void]>([
    ["a cassette", "calls.json", (path, text) => Cassette.write(path, [exchange(text)])],
    [
      "a program that is built",
      "app.js",
      (path, text) => void Output.write(path, program(text, path))
    ],
    ["any text", "a.txt", WholeFile.write]
  ])("%s", (_, name, write) => {
    const [path, old] = [join(folder, name), join(folder, "old")]
    write(path, "http://a.example/1")
    const before = readFileSync(path, "utf8")
    assert.include(before, "http://a.example/1")
    linkSync(path, old)
    write(path, "http://a.example/2")
    assert.include(readFileSync(path, "utf8"), "http://a.example/2")
    assert.strictEqual(readFileSync(old, "utf8"), before)
    assert.deepStrictEqual(readdirSync(folder).toSorted(), [name, "old"].toSorted())
  })
})

it("a build that ends early keeps the program of an earlier one that has assets", () => {
  const source = join(folder, "source.txt")
  writeFileSync(source, "asset")
  const out = join(folder, "build", "app.js")
  const asset = "assets/a.txt"
  const withAsset = (text: string, ...others: ReadonlyArray<string>) => ({
    ...program(text, out),
    assets: [
      { entries: [], files: new Map([[source, asset]]), from: source, loose: [], to: asset }
    ],
    outputs: [out, ...others].flatMap((path) => program(text, path).outputs)
  })
  const files = () => readdirSync(join(folder, "build")).toSorted()
  Output.write(out, withAsset("first", `${out}.map`))
  assert.deepStrictEqual(files(), ["app.js", "app.js.files.json", "app.js.map", "assets"])
  // It ends after the files of the earlier build are removed, and before its own are written.
  const missing = { folder: join(folder, "missing"), reason: "native" }
  const packages = new Map([["node_modules/missing", missing]])
  assert.throws(() => Output.write(out, { ...withAsset("second"), packages }), /ENOENT/)
  assert.strictEqual(readFileSync(out, "utf8"), "first")
  Output.write(out, withAsset("third"))
  assert.strictEqual(readFileSync(out, "utf8"), "third")
  assert.strictEqual(readFileSync(join(folder, "build", asset), "utf8"), "asset")
  assert.deepStrictEqual(files(), ["app.js", "app.js.files.json", "assets"])
})

it("a link in the place of a temporary file is not followed", () => {
  const [path, other] = [join(folder, "a.txt"), join(folder, "other.txt")]
  writeFileSync(path, "old")
  writeFileSync(other, "other")
  const link = `${path}.${process.pid}.tmp`
  symlinkSync(other, link)
  WholeFile.write(path, "new")
  assert.deepStrictEqual(
    [path, other, link].map((file) => readFileSync(file, "utf8")),
    ["new", "other", "other"]
  )
})

it("a write that fails halfway leaves the old file and no other", () => {
  const path = join(folder, "a.txt")
  writeFileSync(path, "old")
  // The shell limits the size of a file to one block.
  const { stderr } = spawnSync(
    "sh",
    [
      "-c",
      `ulimit -f 1; exec "$0" "$@"`,
      process.execPath,
      "--input-type=module",
      "--eval",
      `${importing}
      write(${JSON.stringify(path)}, "x".repeat(65536))`
    ],
    { encoding: "utf8" }
  )
  assert.include(stderr, "EFBIG")
  assert.strictEqual(readFileSync(path, "utf8"), "old")
  assert.deepStrictEqual(readdirSync(folder), ["a.txt"])
})

/** Runs code as a user whom the permissions of a folder bind. */
const asNobody = (path: string, text: string) =>
  spawnSync(
    process.execPath,
    [
      "--input-type=module",
      "--eval",
      `${importing}
      process.setgid?.(65534)
      process.setuid?.(65534)
      write(${JSON.stringify(path)}, ${JSON.stringify(text)})`
    ],
    { encoding: "utf8" }
  )

describe("a file that cannot be replaced is written in place", () => {
  it("in a folder that nothing can be added to", () => {
    const path = join(folder, "a.txt")
    writeFileSync(path, "old")
    const { ino } = statSync(path)
    chmodSync(path, 0o666)
    chmodSync(folder, 0o555)
    if (process.getuid?.() === 0) {
      const { status, stderr } = asNobody(path, "new")
      assert.strictEqual(status, 0, stderr)
    } else WholeFile.write(path, "new")
    assert.deepStrictEqual([readFileSync(path, "utf8"), statSync(path).ino], ["new", ino])
    assert.deepStrictEqual(readdirSync(folder), ["a.txt"])
  })

  it("if it is a mount of its own", ({ skip }) => {
    const [path, source] = [join(folder, "a.txt"), join(folder, "source.txt")]
    writeFileSync(path, "")
    writeFileSync(source, "old")
    const mounted = spawnSync("mount", ["--bind", source, path], { encoding: "utf8" })
    skip(
      mounted.status !== 0,
      `No file can be mounted: ${mounted.error?.message ?? mounted.stderr.trim()}`
    )
    try {
      WholeFile.write(path, "new")
      assert.strictEqual(readFileSync(path, "utf8"), "new")
    } finally {
      spawnSync("umount", [path])
    }
    assert.strictEqual(readFileSync(source, "utf8"), "new")
    assert.deepStrictEqual(readdirSync(folder).toSorted(), ["a.txt", "source.txt"])
  })
})
