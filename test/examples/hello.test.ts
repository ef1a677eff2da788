import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { freePort, node, root, serving } from "./process.ts"

const main = "examples/hello/main.ts"

describe("the hello example", () => {
  it("greets, and stops with code 0 at SIGTERM", async () => {
    const port = await freePort()
    const server = node([main], { PORT: String(port) })
    try {
      const url = `http://127.0.0.1:${port}/hello/Ada`
      await serving(server, url)
      const reply = await fetch(url)
      expect(await reply.json()).toEqual({ message: "Hello, Ada" })
      server.child.kill("SIGTERM")
      expect(await server.exitCode, server.output()).toBe(0)
    } finally {
      server.child.kill("SIGKILL")
    }
  })

  it("is twenty lines of code", () => {
    const lines = readFileSync(join(root, main), "utf8").split("\n")
    const code = lines.filter((line) => line.trim() !== "" && !line.startsWith("//"))
    expect(code.length).toBeLessThanOrEqual(22)
  })
})
