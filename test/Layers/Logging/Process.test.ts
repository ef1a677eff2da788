/** What a real process writes to stdout. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "vitest"

const root = fileURLToPath(new URL("../../..", import.meta.url))

const run = async (
  env: Readonly<Record<string, string>>,
  during: (url: string) => Promise<unknown>
) => {
  const child = spawn(
    `${root}/node_modules/.bin/node`,
    ["--conditions=flange-source", "test/Layers/Logging/fixture.ts"],
    {
      cwd: root,
      env: { ...process.env, HOST: "127.0.0.1", PORT: "0", ...env },
      stdio: ["ignore", "pipe", "pipe"]
    }
  )
  try {
    let [stdout, stderr] = ["", ""]
    child.stderr.on("data", (chunk) => (stderr += chunk))
    const exit = once(child, "close")
    const url = await new Promise<string>((resolve, reject) => {
      child.stdout.on("data", (chunk) => {
        stdout += chunk
        const found = /listens on (http:\/\/[\d.:]+)/.exec(stdout)
        if (found !== null) resolve(found[1]!)
      })
      void exit.then(() => reject(new Error(stdout + stderr)))
    })
    await during(url)
    const [code] = await exit
    return { code, lines: stdout.trimEnd().split("\n"), stderr, stop: () => child.kill("SIGTERM") }
  } finally {
    child.kill("SIGKILL")
  }
}

describe("a process that logs in JSON", () => {
  it("writes nothing to stdout that is not one object a line, from boot to release", async () => {
    const { code, lines, stderr } = await run(
      { FLANGE_ENV: "production", LOG_LEVEL: "DEBUG" },
      async (url) => {
        await fetch(`${url}/fail`, { headers: { "x-request-id": "r1" } })
        await fetch(`${url}/livez`)
        await fetch(`${url}/throw`).catch(() => undefined)
      }
    )
    const records = lines.map((line) => JSON.parse(line))
    assert.strictEqual(stderr, "")
    assert.strictEqual(code, 1)
    for (const record of records) {
      assert.strictEqual(record.service, "noisy")
      assert.strictEqual(record.environment, "production")
      assert.match(record.time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    }
    const find = (text: string) => records.find(({ message }) => message.includes(text))
    assert.strictEqual(find("acquired").level, "info")
    assert.strictEqual(find("unread").level, "warn")
    assert.strictEqual(find("├─ acquire").level, "debug")
    assert.strictEqual(find("Uncaught exception").error.message, "uncaught one")
    assert.strictEqual(find("failed to release").error.message, "cannot be released")
    const failed = find("Request failed")
    assert.strictEqual(failed.requestId, "r1")
    assert.strictEqual(failed.error.message, "outer\nline")
    assert.strictEqual(failed.error.cause.message, "inner")
    assert.deepInclude(find("GET /fail"), {
      method: "GET",
      path: "/fail",
      requestId: "r1",
      route: "/fail",
      status: 500
    })
    assert.isUndefined(find("/livez"))
  })
})
