// The admin port of a real process: what an operator sees of an app that starts, drains and fails.
import { join } from "node:path"
import { afterEach, describe, expect, it } from "vitest"
import { freePort, node, type Process, serving } from "../../examples/process.ts"

const main = join(import.meta.dirname, "main.ts")
const running = new Set<Process>()

afterEach(() => {
  for (const { child } of running) child.kill("SIGKILL")
  running.clear()
})

const start = async (args: ReadonlyArray<string> = [], env: Record<string, string> = {}) => {
  const [adminPort, port] = [await freePort(), await freePort()]
  const own = { ADMIN_PORT: String(adminPort), HOST: "127.0.0.1", PORT: String(port), ...env }
  const app = node([main, ...args], own)
  running.add(app)
  return { ...app, admin: `http://127.0.0.1:${adminPort}`, url: `http://127.0.0.1:${port}` }
}

const said = async ({ output }: Process, text: string) => {
  while (!output().includes(text)) await new Promise((resolve) => setTimeout(resolve, 10))
}

const statusOf = async (admin: string): Promise<unknown> =>
  ((await (await fetch(`${admin}/health`)).json()) as { status: string }).status

const refuses = async (url: string) => {
  const answers = () =>
    fetch(url).then(
      () => true,
      () => false
    )
  while (await answers()) await new Promise((resolve) => setTimeout(resolve, 10))
}

const post = (url: string) =>
  fetch(url, { body: "{}", headers: { "content-type": "application/json" }, method: "POST" })

describe("the admin port of a process", () => {
  it("is on an address of its own, which the log names", async () => {
    const app = await start()
    await serving(app, `${app.admin}/info`)
    expect(app.output()).toContain(`listens on ${app.admin} for the port "admin"`)
    expect((await fetch(`${app.url}/info`)).status).toBe(404)
    expect((await fetch(`${app.admin}/wait`)).status).toBe(404)
  })

  it("drains the app as SIGTERM does: it answers until the last request has ended", async () => {
    const app = await start()
    await serving(app, `${app.admin}/info`)
    const slow = fetch(`${app.url}/wait`)
    await said(app, "waiting")
    const reply = await post(`${app.admin}/drain`)
    expect([reply.status, await reply.json()]).toEqual([202, { status: "draining" }])
    await refuses(`${app.url}/nothing`)
    expect(await statusOf(app.admin)).toBe("draining")
    // Once more is no second signal.
    expect((await post(`${app.admin}/drain`)).status).toBe(202)
    app.child.kill("SIGUSR2")
    expect(await (await slow).json()).toBe("done")
    expect(await app.exitCode).toBe(0)
    expect(app.output()).toContain("released")
    expect(app.output()).toContain("tag: 'security'")
  })

  it("SIGTERM after a drain does not cut it, and a second one does", async () => {
    const app = await start()
    await serving(app, `${app.admin}/info`)
    const slow = fetch(`${app.url}/wait`).catch(() => undefined)
    await said(app, "waiting")
    await post(`${app.admin}/drain`)
    await refuses(`${app.url}/nothing`)
    app.child.kill("SIGTERM")
    expect(await statusOf(app.admin)).toBe("draining")
    app.child.kill("SIGTERM")
    expect(await app.exitCode).toBe(1)
    await slow
  })

  it("that is taken is named with the key that moves it, before anything is acquired", async () => {
    const first = await start()
    await serving(first, `${first.admin}/info`)
    const port = new URL(first.admin).port
    const second = await start([], { ADMIN_PORT: port })
    expect(await second.exitCode).toBe(1)
    expect(second.output()).toContain(
      `Cannot listen on http://127.0.0.1:${port} for the port "admin": something else listens there. Stop it, or set admin.port to a free port.`
    )
    expect(second.output()).not.toContain("acquired")
  })

  it("that is the port of the app is named too", async () => {
    const port = String(await freePort())
    const app = await start([], { ADMIN_PORT: port, PORT: port })
    expect(await app.exitCode).toBe(1)
    expect(app.output()).toContain(
      `:${port}: the port "admin" of this app listens there. Set PORT or admin.port to another port.`
    )
  })

  it("is released by a boot that fails", async () => {
    const app = await start(["fail"])
    expect(await app.exitCode).toBe(1)
    expect(app.output()).toContain("not ready")
    expect(app.output()).toContain("released")
    const again = await start([], { ADMIN_PORT: new URL(app.admin).port })
    await serving(again, `${app.admin}/info`)
  })

  it("on an address of other machines is refused without a token", async () => {
    const app = await start([], { ADMIN_HOST: "0.0.0.0" })
    expect(await app.exitCode).toBe(1)
    expect(app.output()).toContain(
      'admin.token is missing (other machines reach admin.host "0.0.0.0"; 127.0.0.1'
    )
  })
})
