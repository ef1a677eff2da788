// The example as a process, alone and behind a real nginx with the configuration of deploy/nginx.
import { layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestApp } from "flange/Testing"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { app } from "../../examples/behind-nginx/app.ts"
import { ask } from "../deploy/client.ts"
import { type Nginx, startNginx, unavailable } from "../deploy/nginx.ts"
import { freePort, node, type Process, serving } from "./process.ts"

layer(TestApp.layer(app), { excludeTestServices: true })("the app in memory", (it) => {
  it.effect("does not ask nginx to hold its stream back", () =>
    Effect.gen(function* () {
      const api = yield* TestApp.service(app)
      const reply = yield* api.get("/v1/ticks")
      reply.expectStatus(200).expectHeader("x-accel-buffering", "no")
      expect(reply.text).toBe('{"tick":0}\n{"tick":1}\n{"tick":2}\n')
      const visitor = yield* api.get("/v1/visitor", { headers: { "x-request-id": "r-1" } })
      visitor.expectJsonMatch({ requestId: "r-1" })
    })
  )
})

describe.skipIf(unavailable !== undefined)("the example behind nginx", () => {
  let nginx: Nginx
  let service: Process

  beforeAll(async () => {
    const port = await freePort()
    service = node(["examples/behind-nginx/main.ts"], { PORT: String(port) })
    await serving(service, `http://127.0.0.1:${port}/readyz`)
    nginx = await startNginx([`127.0.0.1:${port}`])
  })

  afterAll(async () => {
    await nginx.stop()
    service.child.kill("SIGTERM")
    expect(await service.exitCode, service.output()).toBe(0)
  })

  const visit = (localAddress: string, headers = {}) =>
    ask(`${nginx.url}/v1/visitor`, { headers, localAddress })

  it("knows the address of its client, whatever the client writes", async () => {
    for (const headers of [
      {},
      { "x-forwarded-for": "6.6.6.6" },
      { forwarded: "for=6.6.6.6", "x-real-ip": "6.6.6.6" }
    ]) {
      expect((await visit("127.0.0.9", headers)).json["ip"]).toBe("127.0.0.9")
    }
  })

  it("shares the request id with the log of nginx", async () => {
    const { headers, json } = await visit("127.0.0.8", { "x-request-id": "r-2" })
    expect([json["requestId"], headers["x-request-id"]]).toEqual(["r-2", "r-2"])
    // nginx writes the line after it has sent the reply.
    await expect
      .poll(() => nginx.accessLog().find(({ requestId }) => requestId === "r-2"), {
        timeout: 60_000
      })
      .toMatchObject({ client: "127.0.0.8", path: "/v1/visitor", status: 200 })
  })

  it("limits each client alone", async () => {
    let requests = 0
    while ((await visit("127.0.0.7")).status === 200) expect(requests++).toBeLessThan(200)
    expect(requests).toBeGreaterThanOrEqual(20)
    expect((await visit("127.0.0.6")).status).toBe(200)
  })

  it("gets no method that no route has", async () => {
    const { json, status } = await ask(`${nginx.url}/v1/visitor`, { method: "PROPFIND" })
    expect([status, json["code"]]).toEqual([405, "METHOD_NOT_ALLOWED"])
  })

  it("streams through nginx", async () => {
    const reply = await fetch(`${nginx.url}/v1/ticks`)
    const reader = reply.body!.getReader()
    const { value } = await reader.read()
    expect(Buffer.from(value!).toString()).toBe('{"tick":0}\n')
    await reader.cancel()
  })
})
