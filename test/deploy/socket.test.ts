// A unix socket between nginx and the service, and the sample API as it stands behind nginx.
import { mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { freePort, node, serving } from "../examples/process.ts"
import { ask, post } from "./client.ts"
import { startNginx, unavailable } from "./nginx.ts"
import { startService } from "./service.ts"

describe.skipIf(unavailable !== undefined)("a service on a unix socket behind nginx", () => {
  it("answers on a socket that only its user and group can open, and knows its client", async () => {
    const folder = mkdtempSync(join(tmpdir(), "flange-socket-"))
    const socket = join(folder, "app.sock")
    const service = await startService("proxied", {
      FLANGE__SERVER__SOCKET: socket
    })
    expect(service.address).toBe(`unix:${socket}`)
    expect((statSync(socket).mode & 0o777).toString(8)).toBe("660")
    const nginx = await startNginx([service.address])
    try {
      const { json } = await ask(`${nginx.url}/probe/seen`, { localAddress: "127.0.0.2" })
      expect(json.ip).toBe("127.0.0.2")
      expect((await post(`${nginx.url}/probe/work/0`, { name: "Lamp" })).status).toBe(200)
    } finally {
      await nginx.stop()
      service.kill("SIGTERM")
      expect(await service.exit).toBe(0)
      rmSync(folder, { force: true, recursive: true })
    }
  })
})

describe.skipIf(unavailable !== undefined).each(["node", "proxied"] as const)(
  "the sample API on the listener %s behind nginx",
  (listener) => {
    it("makes an item and gives it back", async () => {
      const port = await freePort()
      const service = node(["examples/sample-api/main.ts"], {
        DATABASE_URL: "pglite://memory",
        FLANGE__SERVER__LISTENER: listener,
        HOST: "127.0.0.1",
        PORT: String(port)
      })
      await serving(service, `http://127.0.0.1:${port}/readyz`)
      const nginx = await startNginx([`127.0.0.1:${port}`])
      try {
        const made = await post(`${nginx.url}/v1/items`, { name: "Lamp" })
        expect(made.status, made.text).toBe(201)
        const read = await ask(`${nginx.url}${made.headers.location}`)
        expect(read.json).toEqual(made.json)
      } finally {
        await nginx.stop()
        service.child.kill("SIGTERM")
        expect(await service.exitCode, service.output()).toBe(0)
      }
    })
  }
)
