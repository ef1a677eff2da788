import { layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestApp } from "flange/Testing"
import { describe, expect, it } from "vitest"
import { app } from "../../examples/migrate-from-express/app.ts"
import { freePort, node, serving } from "./process.ts"

const main = "examples/migrate-from-express/main.ts"

const adminToken = "token-of-the-test"

layer(TestApp.layer(app, { config: { auth: { adminToken } } }))("the mounted Express app", (it) => {
  it.effect("serves what Flange does not, behind Flange's request id and log", () =>
    Effect.gen(function* () {
      const api = yield* TestApp.service(app)
      ;(yield* api.get("/v1/orders/7")).expectStatus(200).expectJson({ id: 7, servedBy: "flange" })
      const customer = yield* api.get("/v1/customers/7", { headers: { "x-request-id": "r-1" } })
      customer.expectStatus(200).expectJson({ id: "7", name: "Acme" })
      customer.expectHeader("x-request-id", "r-1")
      customer.expectHeader("content-type", "application/json; charset=utf-8")
      const cached = yield* api.get("/v1/customers/7", {
        // Without it, fetch asks for a reply that no cache has.
        headers: { "cache-control": "max-age=60", "if-none-match": customer.headers.get("etag")! }
      })
      cached.expectStatus(304)
      const lines = api.logs.filter(({ annotations }) => annotations["requestId"] === "r-1")
      expect(lines.length).toBeGreaterThan(0)
    })
  )

  it.effect("parses bodies, and answers what it does not know", () =>
    Effect.gen(function* () {
      const api = yield* TestApp.service(app)
      const made = yield* api.post("/v1/customers", { json: { name: "Zeta" } })
      made.expectStatus(201).expectHeader("location", "/v1/customers/8")
      ;(yield* api.get("/v1/customers/8")).expectJson({ id: "8", name: "Zeta" })
      const broken = yield* api.post("/v1/customers", {
        body: "{",
        headers: { "content-type": "application/json" }
      })
      broken.expectStatus(400)
      ;(yield* api.get("/nowhere")).expectStatus(404)
      ;(yield* api.get("/livez")).expectJson({ status: "alive" })
    })
  )

  it.effect("answers its errors itself, with the id of Flange's log", () =>
    Effect.gen(function* () {
      const api = yield* TestApp.service(app)
      const reply = yield* api.get("/v1/broken", { headers: { "x-request-id": "r-2" } })
      reply.expectStatus(500).expectJson({ error: "Error: This route is broken", requestId: "r-2" })
    })
  )

  it.effect("is behind Flange's authentication in the protected group", () =>
    Effect.gen(function* () {
      const api = yield* TestApp.service(app)
      for (const headers of [{}, { authorization: "Bearer wrong" }]) {
        ;(yield* api.get("/admin/report", { headers })).expectProblem("UNAUTHENTICATED", 401)
      }
      const headers = { authorization: `Bearer ${adminToken}` }
      const report = yield* api.get("/admin/report", { headers })
      expect(report.expectStatus(200).json).toMatchObject({ reportFor: "ada" })
    })
  )
})

describe.each(["node", "proxied"])("the mounted Express app on the listener %s", (listener) => {
  it("ends a slow reply after SIGTERM", async () => {
    const port = await freePort()
    const server = node([main], { FLANGE__SERVER__LISTENER: listener, PORT: String(port) })
    const url = `http://127.0.0.1:${port}`
    try {
      await serving(server, `${url}/readyz`)
      // Its head is there, and its end is not.
      const slow = await fetch(`${url}/v1/slow`)
      server.child.kill("SIGTERM")
      expect(await slow.text()).toBe("begun\nended\n")
      expect(await server.exitCode, server.output()).toBe(0)
    } finally {
      server.child.kill("SIGKILL")
    }
  })
})
