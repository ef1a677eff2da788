// Real processes: what a supervisor sees of an app that starts, stops and fails.
import * as Net from "node:net"
import { describe, expect, it } from "vitest"
import { ready, reversed, start } from "./AppProcess.ts"

describe("a signal during boot", () => {
  it.each([
    ["SIGTERM", 1],
    ["SIGTERM", 2],
    ["SIGTERM", 3],
    ["SIGINT", 2]
  ] as const)(
    "%s while plugin %i of 3 acquires releases what it has and those before it, and exits 0",
    async (signal, position) => {
      const app = start("hang", position)
      await app.said(/^hanging$/m)
      app.kill(signal)
      expect(await app.exited).toBe(0)
      expect(app.released()).toEqual(reversed(position))
      expect(app.output.err).toBe("")
    }
  )
})

it("SIGUSR2 ends no app that has no log yet, or none at all", async () => {
  const app = start("hang", 2)
  await app.said(/^hanging$/m)
  app.kill("SIGUSR2")
  app.kill("SIGTERM")
  expect(await app.exited).toBe(0)
  expect(app.released()).toEqual(reversed(2))
})

describe("a signal while it serves", () => {
  it.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)(
    "%s lets the request in flight finish, releases in reverse, and exits 0",
    async (signal) => {
      const app = start("none", 0)
      const address = await app.said(ready)
      const reply = fetch(`${address}/wait`)
      await app.said(/^waiting$/m)
      app.kill(signal)
      expect(await (await reply).json()).toBe("done")
      expect(await app.exited).toBe(0)
      expect(app.released()).toEqual(reversed(3))
      expect(app.output.err).toBe("")
    }
  )

  it.each([
    ["SIGTERM", "SIGTERM"],
    ["SIGINT", "SIGINT"],
    ["SIGTERM", "SIGINT"]
  ] as const)(
    "%s and then %s during the drain stops at once and exits 1",
    async (first, second) => {
      const app = start("slow-drain", 0)
      await app.said(ready)
      app.kill(first)
      await app.said(/^draining$/m)
      app.kill(second)
      expect(await app.exited).toBe(1)
      expect(app.released()).toEqual([])
      expect(app.output.err).toBe(`Second ${second}: stopping at once\n`)
      expect(app.output.out).toMatch(/These did not end: .*Plugin "p2": drain/)
    }
  )

  it("a second SIGHUP does not cut the drain: the end of a terminal brings several", async () => {
    const app = start("none", 0)
    const address = await app.said(ready)
    const reply = fetch(`${address}/wait`)
    await app.said(/^waiting$/m)
    app.kill("SIGHUP")
    app.kill("SIGHUP")
    expect(await (await reply).json()).toBe("done")
    expect(await app.exited).toBe(0)
    expect(app.output.err).toBe("")
  })

  it("a drain hook that never ends is cut off at app.drainTimeout, and it exits 0", async () => {
    const app = start("slow-drain", 0, { variables: { FLANGE__APP__DRAIN_TIMEOUT: "50 millis" } })
    await app.said(ready)
    app.kill("SIGTERM")
    expect(await app.exited).toBe(0)
    expect(app.released()).toEqual(reversed(3))
  })
})

it("an uncaught exception is logged, and the app drains, releases and exits 1", async () => {
  const app = start("none", 0)
  const address = await app.said(ready)
  const reply = fetch(`${address}/wait`)
  await app.said(/^waiting$/m)
  await fetch(`${address}/throw`)
  expect(await (await reply).json()).toBe("done")
  expect(await app.exited).toBe(1)
  expect(app.released()).toEqual(reversed(3))
  const log = app.output.out + app.output.err
  expect(log).toContain("Uncaught exception")
  expect(log).toContain("thrown outside of everything")
})

describe("a failed boot exits 1 with a report on stderr", () => {
  it("that is the message alone for a typed error", async () => {
    const app = start("failure", 2)
    expect(await app.exited).toBe(1)
    expect(app.released()).toEqual(reversed(2))
    expect(app.output.err).toBe(
      "The app did not start.\n\nUnreachable: Database db.example does not answer. Start it, or set DATABASE_URL.\n"
    )
  })

  it("that has the stack for a defect", async () => {
    const app = start("defect", 3)
    expect(await app.exited).toBe(1)
    expect(app.released()).toEqual(reversed(3))
    expect(app.output.err).toContain("The app did not start.\n\nError: a bug in a plugin\n    at ")
    expect(app.output.err).toContain("fixtures/app.ts")
  })

  it("that names every wrong value of the configuration", async () => {
    const app = start("config", 0, { variables: { FLANGE__SERVER__PORT: "eighty" } })
    expect(await app.exited).toBe(1)
    expect(app.output.out).toBe("")
    expect(app.output.err).toContain("ConfigError: ┌ The configuration has 2 problems")
    expect(app.output.err).toContain("mail.port")
    expect(app.output.err).toContain("server.port")
    expect(app.output.err).not.toContain("    at ")
  })

  it("that says which port is taken and what to do", async () => {
    const server = Net.createServer()
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const { port } = server.address() as Net.AddressInfo
    try {
      const app = start("none", 0, { port })
      expect(await app.exited).toBe(1)
      expect(app.released()).toEqual([])
      expect(app.output.err).toBe(
        `The app did not start.\n\nBindError: Cannot listen on http://127.0.0.1:${port}: something else listens there. Stop it, or set PORT to a free port.\n`
      )
    } finally {
      server.close()
    }
  })
})
