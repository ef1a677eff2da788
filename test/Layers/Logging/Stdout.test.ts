/** What a process does when nobody reads its stdout any more. */
import { assert, describe, it } from "vitest"
import { start, until } from "./process.ts"

describe("a process whose stdout closes", () => {
  it.each(["production", "local"])(
    "says so once on stderr and serves on, in the environment %s",
    async (environment) => {
      const { child, exit, stderr, url } = await start({ FLANGE_ENV: environment })
      try {
        child.stdout.destroy()
        const lost = /^Log lines are lost: stdout cannot be written \(.*EPIPE.*\)\.$/gm
        await until(() => {
          void fetch(`${url}/nowhere`).catch(() => undefined)
          return lost.test(stderr())
        })
        for (let i = 0; i < 20; i++) assert.strictEqual((await fetch(`${url}/nowhere`)).status, 404)
        assert.lengthOf(stderr().match(lost)!, 1)
        child.kill("SIGTERM")
        assert.deepStrictEqual(await exit, [0, null])
      } finally {
        child.kill("SIGKILL")
      }
    }
  )

  it("serves on if stderr closes too", async () => {
    const { child, exit, url } = await start({ FLANGE_ENV: "production" })
    try {
      child.stdout.destroy()
      child.stderr.destroy()
      for (let i = 0; i < 50; i++) assert.strictEqual((await fetch(`${url}/nowhere`)).status, 404)
      child.kill("SIGTERM")
      assert.deepStrictEqual(await exit, [0, null])
    } finally {
      child.kill("SIGKILL")
    }
  })
})

describe("an app without the Logging plugin", () => {
  it("says where it listens", async () => {
    const { child, exit, stdout, url } = await start({ FLANGE_ENV: "production", PLUGINS: "none" })
    try {
      assert.strictEqual((await fetch(`${url}/nowhere`)).status, 404)
      assert.match(stdout(), /noisy 0\.0\.0\S* listens on http:\/\/127\.0\.0\.1:\d+/)
      child.kill("SIGTERM")
      assert.deepStrictEqual(await exit, [0, null])
    } finally {
      child.kill("SIGKILL")
    }
  })
})
