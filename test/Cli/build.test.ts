import { execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { socketListener } from "../matrix/combination.ts"

const root = join(import.meta.dirname, "../..")
const node = join(root, "node_modules/.bin/node")
const flange = (...args: ReadonlyArray<string>) =>
  promisify(execFile)(node, ["--conditions=flange-source", "src/Cli/main.ts", ...args], {
    cwd: root
  })

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flange-build-"))
})
afterAll(() => rm(folder, { force: true, recursive: true }))

describe("flange build", () => {
  it("bundles an app into one file with a source map, which serves without node_modules", async () => {
    const out = join(folder, "app.mjs")
    const { stdout } = await flange("build", "examples/hello/main.ts", "--out", out)
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
        PORT: "18733"
      }
    })
    const exit = once(child, "exit")
    let reply: Response | undefined
    for (let tries = 0; reply === undefined && tries < 200; tries++) {
      reply = await fetch("http://127.0.0.1:18733/hello/Ada").catch(
        () => new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 50))
      )
    }
    assert.deepStrictEqual(await reply?.json(), { message: "Hello, Ada" })
    child.kill("SIGTERM")
    assert.strictEqual((await exit)[0], 0)
  })

  it("says why a program cannot be bundled, and exits with 1", async () => {
    const failed = await flange("build", "nowhere.ts").catch((error) => error)
    assert.strictEqual(failed.code, 1)
    assert.include(failed.stderr, "Cannot build nowhere.ts")
  })
})
