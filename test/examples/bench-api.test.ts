import { describe, expect, it } from "vitest"
import { node, whileServing } from "./process.ts"

describe("the bench API", () => {
  it("replies with nothing, with JSON, and with what it got", async () => {
    await whileServing("examples/bench-api/main.ts", {}, async (url) => {
      const noop = await fetch(`${url}/bench/noop`)
      expect([noop.status, await noop.text()]).toEqual([204, ""])
      const json = await fetch(`${url}/bench/json`)
      expect(await json.json()).toEqual({ count: 42, message: "hello" })
      const send = (body: object) =>
        fetch(`${url}/bench/echo`, {
          body: JSON.stringify(body),
          headers: { "content-type": "application/json" },
          method: "POST"
        })
      const message = { count: 7, message: "déjà vu" }
      expect(await (await send(message)).json()).toEqual(message)
      expect((await send({ count: "7" })).status).toBe(400)
    })
  })

  it("is measured in memory, without an access line for each request", async () => {
    const program = node(["examples/bench-api/measure.ts", "20"])
    expect(await program.exitCode, program.output()).toBe(0)
    expect(program.output()).toMatch(/^echo {2}[\d.]+ µs\njson {2}[\d.]+ µs\nnoop {2}[\d.]+ µs\n$/)
  })
})
