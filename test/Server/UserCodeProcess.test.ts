/** What an app's own code throws while a request is served does not end the process; what it throws elsewhere drains it. */
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Running, start } from "./process.ts"
import { until } from "./userCode/server.ts"

const running: Array<Running> = []
afterAll(() => {
  for (const { child } of running) child.kill("SIGKILL")
})

const nested = "[".repeat(5000) + "]".repeat(5000)

/** The line of the log, at a level, that has these texts. */
const line = ({ output }: Running, level: string, ...texts: ReadonlyArray<string>) =>
  output()
    .split("\n")
    .find((line) => [`"level":"${level}"`, ...texts].every((text) => line.includes(text)))

for (const listener of ["node", "proxied"] as const) {
  describe(`a process on ${listener}`, () => {
    const begin = async () => {
      const server = await start("test/Server/fixtures/userCode.ts", {
        FLANGE__SERVER__LISTENER: listener
      })
      running.push(server)
      return server
    }

    let server: Running
    beforeAll(async () => {
      server = await begin()
    })

    const serves = async () => assert.strictEqual((await fetch(`${server.url}/well`)).status, 200)

    for (const path of ["/json", "/unknown"]) {
      it(`answers a body that is nested too deep to be encoded, at ${path}, and serves on`, async () => {
        const reply = await fetch(server.url + path, {
          body: nested,
          headers: { "content-type": "application/json", "x-request-id": "nested" },
          method: "POST"
        })
        const { code, correlationId } = (await reply.json()) as Record<string, unknown>
        assert.include(
          ["400 MALFORMED_REQUEST", "400 VALIDATION_FAILED"],
          `${reply.status} ${code}`
        )
        assert.strictEqual(correlationId, "nested")
        await serves()
      })
    }

    it("logs a promise that a handler leaves rejected, and serves on", async () => {
      assert.strictEqual((await fetch(`${server.url}/floating`)).status, 200)
      await until(
        "The line of the log",
        () => line(server, "error", "rejected in passing") !== undefined
      )
      await serves()
    })

    it("stops after all of that, and exits with 0", async () => {
      server.child.kill("SIGTERM")
      assert.strictEqual(await server.exit, 0, server.output())
    })

    it("drains after an exception outside of any request, and exits with 1", async () => {
      const server = await begin()
      const slow = fetch(`${server.url}/slow`)
      await until("The request in flight", () => server.output().includes("slow begins"))
      await fetch(`${server.url}/outside`)
      assert.strictEqual((await slow).status, 200, "the request in flight")
      assert.strictEqual(await server.exit, 1)
      assert.isDefined(line(server, "fatal", "thrown outside of a request"), server.output())
    })
  })
}
