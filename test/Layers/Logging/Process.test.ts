/** What a real process writes to stdout. */
import { assert, describe, it } from "vitest"
import { start } from "./process.ts"

const run = async (
  env: Readonly<Record<string, string>>,
  during: (url: string) => Promise<unknown>
) => {
  const { child, exit, stderr, stdout, url } = await start(env)
  try {
    await during(url)
    const [code] = await exit
    return { code, lines: stdout().trimEnd().split("\n"), stderr: stderr() }
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
