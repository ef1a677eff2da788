import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { App } from "flange"
import * as Admin from "flange/Admin"
import * as Logging from "flange/Logging"
import { TestApp } from "flange/Testing"

const boot = Effect.map(TestApp.make(App.make("shop", [Admin.plugin, Logging.plugin])), (test) =>
  test.port("admin")
)

const target = { name: "/orders/:id", type: "route" }

it.effect("the admin port lists, sets and resets log levels", () =>
  Effect.gen(function* () {
    const port = yield* boot
    const held = Effect.map(port.get("/log-levels"), (reply) => reply.json)
    expect(yield* held).toEqual([])
    const levels = [{ ...target, expiresAt: "1970-01-01T00:15:00.000Z", level: "debug" }]
    const set = yield* port.put("/log-levels", { json: { ...target, level: "DEBUG" } })
    expect(set.json).toEqual(levels)
    expect(yield* held).toEqual(levels)
    expect(
      (yield* port.delete("/log-levels", { headers: { "x-requested-with": "test" } })).json
    ).toEqual([])
    expect(yield* held).toEqual([])
  })
)

it.effect.each([
  { ...target, level: "loud" },
  { ...target, level: "debug", time: "8 days" },
  { level: "debug", name: "orders", type: "route" },
  { level: "debug", name: "x", type: "planet" },
  {}
])("the admin port refuses a log level that cannot be set: %j", (json) =>
  Effect.gen(function* () {
    const port = yield* boot
    ;(yield* port.put("/log-levels", { json })).expectProblem("VALIDATION_FAILED", 400)
    expect((yield* port.get("/log-levels")).json).toEqual([])
  })
)

it.effect("the admin port names every field of a log level that is missing or wrong", () =>
  Effect.gen(function* () {
    const port = yield* boot
    const reply = yield* port.put("/log-levels", { json: { level: "loud", type: "planet" } })
    const { errors } = reply.json as {
      readonly errors: ReadonlyArray<{ readonly pointer: string }>
    }
    expect(errors.map(({ pointer }) => pointer).toSorted()).toEqual(["/level", "/name", "/type"])
  })
)
