import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { AdminRoute, App, Plugin } from "flange"
import * as Admin from "flange/Admin"
import { TestApp } from "flange/Testing"
import { app, values } from "./fixture.ts"

const token = "a-token-of-this-test"
const headers = { authorization: `Bearer ${token}` }

const boot = Effect.map(TestApp.make(app, { config: { admin: { token } }, values }), (test) => ({
  changes: () =>
    test.logs
      .filter(({ message }) => message.startsWith("Admin change"))
      .map(({ annotations, level, message }): Readonly<Record<string, unknown>> => ({
        ...annotations,
        level,
        message
      })),
  logs: test.logs,
  port: test.port("admin")
}))

describe("the audit of changes", () => {
  it.effect("a change is logged with its caller, target, payload keys and outcome", () =>
    Effect.gen(function* () {
      const { changes, port } = yield* boot
      const json = { payload: { count: 7 } }
      ;(yield* port.post("/actions/fill?a=1", { headers, json })).expectStatus(200)
      expect(changes()).toMatchObject([
        {
          level: "Info",
          message: "Admin change: POST /actions/:name",
          outcome: "done",
          payloadKeys: ["payload", "payload.count"],
          route: "POST /actions/:name",
          status: 200,
          subject: "admin-token",
          tag: "security",
          target: "/actions/fill"
        }
      ])
      expect(changes()[0]).toHaveProperty("requestId")
    })
  )

  it.effect("a change that is refused or fails is logged as a warning with its status", () =>
    Effect.gen(function* () {
      const { changes, port } = yield* boot
      yield* port.post("/actions/nothing", { headers, json: {} })
      yield* port.post("/drain", { headers, json: {} })
      yield* port.put("/shelf/7", { headers, json: { text: 5 } })
      yield* port.put("/shelf/7", { headers, json: { text: "a" } })
      const found = changes().map((one) => [one["level"], one["outcome"], one["status"]])
      expect(found).toEqual([
        ["Warn", "refused", 404],
        ["Warn", "refused", 409],
        ["Warn", "refused", 400],
        ["Info", "done", 200]
      ])
    })
  )

  it.effect("no line has a value of the payload, a token or a query", () =>
    Effect.gen(function* () {
      const { logs, port } = yield* boot
      const json = { payload: { count: "s3cret-value" }, text: "s3cret-value" }
      yield* port.post("/actions/fill?key=s3cret-value", { headers, json })
      yield* port.put("/shelf/7", { headers, json })
      const text = JSON.stringify(logs.map(({ annotations, message }) => [annotations, message]))
      expect(text).not.toContain("s3cret-value")
      expect(text).not.toContain(token)
    })
  )

  it.effect("reads, unknown paths and wrong methods are not logged", () =>
    Effect.gen(function* () {
      const { changes, port } = yield* boot
      yield* port.get("/info", { headers })
      yield* port.get("/shelf", { headers })
      yield* port.post("/nothing", { headers, json: {} })
      yield* port.put("/drain", { headers, json: {} })
      expect(changes()).toEqual([])
    })
  )

  it.effect("keys of a hostile payload are cleaned, and their number is bounded", () =>
    Effect.gen(function* () {
      const { changes, port } = yield* boot
      const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`k${i}`, i]))
      yield* port.post("/drain", { headers, json: { "a\nb": 1, ...many } })
      const [line] = changes()
      expect(line?.["payloadKeys"]).toHaveLength(50)
      expect(line?.["payloadKeys"]).toContain("ab")
    })
  )

  it.live("a change whose client disconnects is logged as interrupted", () =>
    Effect.gen(function* () {
      const begun = yield* Deferred.make<void>()
      const slow = Plugin.make("test:slow", {
        contributes: [
          AdminRoute.make(
            "slow",
            { description: "Takes long", method: "POST", path: "/slow" },
            Effect.andThen(
              Deferred.succeed(begun, undefined),
              Effect.as(Effect.never, HttpServerResponse.empty())
            )
          )
        ]
      })
      const test = yield* TestApp.make(App.make("slow", [Admin.plugin, slow]))
      const sent = yield* Effect.forkChild(test.port("admin").post("/slow", { json: { a: 1 } }))
      yield* Deferred.await(begun)
      yield* Fiber.interrupt(sent)
      const find = Effect.sync(() =>
        test.logs.find(({ message }) => message.startsWith("Admin change"))
      )
      const line = yield* Effect.repeat(Effect.tap(find, Effect.yieldNow), {
        until: (found) => found !== undefined
      })
      expect(line?.annotations).toMatchObject({ outcome: "interrupted", payloadKeys: ["a"] })
    })
  )
})
