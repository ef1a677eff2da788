import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import * as TestClock from "effect/testing/TestClock"
import { App, AssemblyError, Plugin, Route } from "flange"
import { TestApp } from "flange/Testing"
import * as Timeout from "flange/Timeout"
import { make } from "./fixtures.ts"

/** Sends a request, moves the clock once its handler has begun, and returns the fiber of the request. */
const after = <A, E, R>(
  request: Effect.Effect<A, E, R>,
  begun: Effect.Effect<unknown>,
  millis: number
) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(request, { startImmediately: true })
    yield* begun
    yield* TestClock.adjust(millis)
    return fiber
  })

describe("a handler", () => {
  it.effect("is interrupted at its time limit, and its request is answered with 504", () =>
    Effect.gen(function* () {
      const { app, begun, events } = make()
      const test = yield* TestApp.make(app)
      const fiber = yield* after(test.get("/wait/5000"), begun, 999)
      assert.isUndefined(fiber.pollUnsafe())
      assert.deepStrictEqual(events, [])
      yield* TestClock.adjust(1)
      const reply = yield* Fiber.join(fiber)
      reply.expectProblem("TIMEOUT", 504, {
        activity: "SQL",
        detail: "The request was not completed in time: its time ended in SQL",
        spent: { SQL: 1000 }
      })
      assert.deepStrictEqual(events, ["interrupted", "504"])
      const line = test.logs.find(({ level }) => level === "Warn")!
      assert.strictEqual(line.message, "The request was not completed in 1s: its time ended in SQL")
      assert.strictEqual(line.annotations["activity"], "SQL")
      assert.deepStrictEqual(line.annotations["spent"], { SQL: 1000 })
    })
  )

  it.effect("that ends at its time limit is answered with its own reply or with 504, once", () =>
    Effect.gen(function* () {
      const { app, begun, events } = make()
      const test = yield* TestApp.make(app)
      const reply = yield* Fiber.join(yield* after(test.get("/wait/1000"), begun, 1000))
      assert.include([200, 504], reply.status)
      assert.deepStrictEqual(events, reply.status === 200 ? ["200"] : ["interrupted", "504"])
    })
  )

  it.effect("has the limit of its endpoint, else that of its group, else that of the app", () =>
    Effect.gen(function* () {
      const { app, begun } = make()
      const test = yield* TestApp.make(app)
      for (const [path, limit] of [
        ["/quick/5000", 100],
        ["/group/own", 300],
        ["/group/shared", 200],
        ["/wait/5000", 1000]
      ] as const) {
        const fiber = yield* after(test.get(path), begun, limit - 1)
        assert.isUndefined(fiber.pollUnsafe(), path)
        yield* TestClock.adjust(1)
        ;(yield* Fiber.join(fiber)).expectProblem("TIMEOUT", 504)
      }
    })
  )

  it.effect("has no limit if its contract lifts it, or its route is bare", () =>
    Effect.gen(function* () {
      const { app, begun } = make()
      const test = yield* TestApp.make(app)
      ;(yield* Fiber.join(yield* after(test.get("/endless"), begun, 3_600_000))).expectStatus(200)
      ;(yield* Fiber.join(yield* after(test.get("/alive"), begun, 5000))).expectStatus(200)
    })
  )

  it.effect("that does not stop is left running: its scope closes when it ends", () =>
    Effect.gen(function* () {
      const { app, begun, events } = make()
      const test = yield* TestApp.make(app)
      const fiber = yield* after(test.get("/deaf"), begun, 1249)
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust(1)
      ;(yield* Fiber.join(fiber)).expectProblem("TIMEOUT", 504, { activity: "handler" })
      assert.deepStrictEqual(events, ["504"])
      const [line] = test.logs.filter(({ level }) => level === "Warn")
      assert.include(String(line!.message), "Its handler does not stop, and was left running")
      yield* TestClock.adjust(750)
      assert.deepStrictEqual(events, ["504", "ended", "released"])
      ;(yield* test.get("/now")).expectStatus(200)
    })
  )

  it.effect("knows how much time is left", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(make().app)
      assert.strictEqual((yield* test.get("/left")).json, 1000)
    })
  )
})

/** Moves the clock in steps until a request has ended. A stream goes on between two of them. */
const settled = <A, E, R>(request: Effect.Effect<A, E, R>, step: number) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(Effect.exit(request), { startImmediately: true })
    while (fiber.pollUnsafe() === undefined) {
      yield* TestClock.withLive(Effect.sleep(1))
      yield* TestClock.adjust(step)
    }
    return yield* Fiber.join(fiber)
  })

describe("a streamed reply", () => {
  it.effect("may take longer than the limit of its handler", () =>
    Effect.gen(function* () {
      const { app, events } = make()
      const test = yield* TestApp.make(app)
      const reply = yield* yield* settled(test.get("/events/900"), 900)
      assert.strictEqual(reply.text, "abc")
      assert.deepStrictEqual(events, ["200"])
      test.expectNoErrors()
    })
  )

  it.effect("is cut if it is silent for longer than its limit", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(make().app)
      assert.strictEqual((yield* settled(test.get("/events/1500"), 1000))._tag, "Failure")
      const [line] = test.logs.filter(({ level }) => level === "Error")
      assert.strictEqual(line!.message, "The stream of a reply failed")
      assert.include(
        String(line!.cause),
        "The stream of the reply sent nothing for 1s, so it was ended."
      )
    })
  )

  it.effect("has the limit of its contract", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(make().app)
      const reply = yield* yield* settled(test.get("/patient/59000"), 59_000)
      assert.strictEqual(reply.text, "abc")
    })
  )
})

describe("a limit that is none", () => {
  it.effect.each(["IdleTimeout", "Timeout"])("is refused when the app is assembled: %s", (name) =>
    Effect.gen(function* () {
      const contract = HttpApiGroup.make("wrong").add(HttpApiEndpoint.get("read", "/wrong"))
      class WrongApi extends (name === "Timeout"
        ? contract.annotate(Timeout.Timeout, 0)
        : contract.annotate(Timeout.IdleTimeout, 0)) {}
      const Wrong = Plugin.make("app:wrong", {
        routes: [
          Route.public(WrongApi, (handlers) => handlers.handleAll({ read: () => Effect.void }))
        ]
      })
      const error = yield* Effect.flip(TestApp.make(App.make("wrong", [Timeout.plugin, Wrong])))
      assert.instanceOf(error, AssemblyError)
      assert.include(
        error.message,
        `InvalidTimeLimit: GET /wrong ("read" of group "wrong", plugin "app:wrong") has ${name} 0 ms.`
      )
    })
  )
})

describe("descriptions", () => {
  it("show the limit of a contract, and 504 on each route that has a limit, and on no bare one", () => {
    const { app } = make()
    const { routes } = App.describe(app)
    const timeouts = Object.fromEntries(routes.map(({ name, timeout }) => [name, timeout]))
    assert.deepStrictEqual(timeouts, {
      "bare.alive": undefined,
      "group.own": 300,
      "group.shared": 200,
      "slow.deaf": undefined,
      "slow.endless": undefined,
      "slow.events": undefined,
      "slow.left": undefined,
      "slow.now": undefined,
      "slow.patient": undefined,
      "slow.quick": 100,
      "slow.wait": undefined
    })
    const { paths } = OpenApi.fromApi(app.api)
    assert.notProperty(paths["/alive"]!.get!.responses, "504")
    assert.notProperty(paths["/endless"]!.get!.responses, "504")
    assert.property(paths["/quick/{millis}"]!.get!.responses, "504")
    assert.deepStrictEqual(routes.find(({ name }) => name === "slow.wait")!.errors["504"], [
      "TIMEOUT"
    ])
  })
})
