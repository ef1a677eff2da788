/** Where the lines of a process go, with real pipes, files and signals. */
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { start, until } from "./process.ts"

let folder = ""
const running: Array<{ readonly child: { readonly kill: (signal: "SIGKILL") => boolean } }> = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flange-log-"))
})
afterEach(() => {
  for (const { child } of running.splice(0)) child.kill("SIGKILL")
  rmSync(folder, { force: true, recursive: true })
})

const started = async (env: Readonly<Record<string, string>>) => {
  const app = await start({ FLANGE_ENV: "production", ...env })
  running.push(app)
  return app
}

const linesOf = (text: string): Array<Record<string, any>> =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line))

describe("a log in a file", () => {
  it("has every line, and the folder's group may read it", async () => {
    const path = join(folder, "app.log")
    const { child, exit, stdout, url } = await started({ FLANGE__LOGGING__FILE: path })
    await fetch(`${url}/nowhere`)
    child.kill("SIGTERM")
    expect(await exit).toEqual([0, null])
    const lines = linesOf(readFileSync(path, "utf8"))
    expect(lines.map(({ message }) => message)).toContainEqual(
      expect.stringMatching(/^GET \/nowhere 404/)
    )
    expect(lines.at(-1)!["message"]).toContain("stopped")
    expect(statSync(path).mode & 0o777 & ~0o640).toBe(0)
    expect(stdout()).toBe("")
  })

  it("goes on in a new file after SIGUSR2, and no line is lost", async () => {
    const path = join(folder, "app.log")
    const { child, exit, url } = await started({ FLANGE__LOGGING__FILE: path })
    await fetch(`${url}/one`)
    renameSync(path, `${path}.1`)
    await fetch(`${url}/two`)
    child.kill("SIGUSR2")
    await until(() => statSync(path, { throwIfNoEntry: false }) !== undefined)
    await fetch(`${url}/three`)
    child.kill("SIGTERM")
    expect(await exit).toEqual([0, null])
    const paths = (file: string) =>
      linesOf(readFileSync(file, "utf8")).flatMap(({ path }) => (path === undefined ? [] : [path]))
    expect(paths(`${path}.1`)).toEqual(["/one", "/two"])
    expect(paths(path)).toEqual(["/three"])
  })

  it("in a folder that does not exist is refused before anything listens", async () => {
    const path = join(folder, "missing", "app.log")
    const error = await started({ FLANGE__LOGGING__FILE: path }).catch((error: unknown) => error)
    expect(String(error)).toContain("logging.file")
    expect(String(error)).toContain("make its folder")
  })

  it("on a full disk says so once on stderr, and the app serves on", async () => {
    const path = join(folder, "app.log")
    const { child, exit, stderr, url } = await started({ FLANGE__LOGGING__FILE: path })
    rmSync(path)
    symlinkSync("/dev/full", path)
    child.kill("SIGUSR2")
    await until(() => {
      void fetch(`${url}/nowhere`).catch(() => undefined)
      return stderr().includes("Log lines are lost")
    })
    for (let i = 0; i < 20; i++) expect((await fetch(`${url}/nowhere`)).status).toBe(404)
    // The disk has room again.
    rmSync(path)
    child.kill("SIGUSR2")
    await until(() => statSync(path, { throwIfNoEntry: false }) !== undefined)
    await fetch(`${url}/after`)
    child.kill("SIGTERM")
    expect(await exit).toEqual([0, null])
    expect(
      stderr().match(/Log lines are lost: .*app\.log cannot be written \(ENOSPC/g)
    ).toHaveLength(1)
    const lines = linesOf(readFileSync(path, "utf8"))
    expect(lines.find(({ message }) => message === "Log lines were lost")).toMatchObject({
      level: "warn",
      lost: expect.any(Number),
      reason: "failed",
      service: "noisy"
    })
    expect(lines.map(({ path }) => path)).toContain("/after")
  })
})

describe("a pipe that nobody reads", () => {
  it("loses lines and not requests, and the log says how many", async () => {
    const { child, exit, stdout, url } = await started({ FLANGE__LOGGING__BUFFER: "256 KiB" })
    child.stdout.pause()
    for (let i = 0; i < 5; i++) expect((await fetch(`${url}/flood`)).status).toBe(204)
    child.stdout.resume()
    await until(() => stdout().includes("Log lines were lost"))
    child.kill("SIGTERM")
    expect(await exit).toEqual([0, null])
    const lines = linesOf(stdout())
    const lost = lines
      .filter(({ reason }) => reason === "full")
      .reduce((sum, line) => sum + line["lost"], 0)
    const floods = lines.filter(({ message }) => message.startsWith("flood")).length
    const access = lines.filter(({ message }) => message.startsWith("GET /flood")).length
    expect(floods).toBeLessThan(10_000)
    expect(floods + access + lost).toBe(10_005)
  })

  it("does not keep the process from its end", async () => {
    const { child, exit, url } = await started({ FLANGE__LOGGING__BUFFER: "256 KiB" })
    child.stdout.pause()
    await fetch(`${url}/flood`)
    child.kill("SIGTERM")
    await new Promise((resolve) => child.once("exit", resolve))
    child.stdout.resume()
    expect(await exit).toEqual([0, null])
  })

  it("with full = block stops the process until it is read, and no line is lost", async () => {
    const { child, exit, stdout, url } = await started({
      FLANGE__LOGGING__BUFFER: "64 KiB",
      FLANGE__LOGGING__FULL: "block"
    })
    child.stdout.pause()
    let isAnswered = false
    const reply = fetch(`${url}/flood`).then(({ status }) => {
      isAnswered = true
      return status
    })
    const other = await fetch(`${url}/nowhere`, { signal: AbortSignal.timeout(500) }).catch(
      () => undefined
    )
    expect([isAnswered, other]).toEqual([false, undefined])
    child.stdout.resume()
    expect(await reply).toBe(204)
    child.kill("SIGTERM")
    expect(await exit).toEqual([0, null])
    const floods = linesOf(stdout()).filter(({ message }) => message.startsWith("flood"))
    expect(floods.map(({ message }) => Number(message.split(" ")[1]))).toEqual(
      Array.from({ length: 2000 }, (_, i) => i)
    )
  })
})

describe("the end of a process", () => {
  it("by process.exit writes what waits", async () => {
    const { exit, stdout, url } = await started({})
    await fetch(`${url}/exit`).catch(() => undefined)
    expect(await exit).toEqual([3, null])
    expect(stdout()).toContain("the last line")
  })

  it("by an uncaught error writes what waits", async () => {
    const { exit, stdout, url } = await started({})
    await fetch(`${url}/throw`).catch(() => undefined)
    expect((await exit)[0]).not.toBe(0)
    expect(stdout()).toContain("uncaught one")
    expect(stdout()).toContain("GET /throw")
  })
})
