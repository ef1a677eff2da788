import { syncBuiltinESMExports } from "node:module"
import { assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as OpenApi from "effect/http-api/OpenApi"
import * as TestClock from "effect/testing/TestClock"
import { App } from "flange"
import { TestApp } from "flange/Testing"
import { valueOf } from "../Metrics/samples.ts"
import { as, guarded, make, one, until } from "./fixtures.ts"

describe("a request above the limit", () => {
  it.effect("waits, and runs once another has ended", () =>
    Effect.gen(function* () {
      const { app, open, ran } = make()
      const test = yield* TestApp.make(app, { config: one })
      const { gate } = yield* test.run(guarded)
      const first = yield* Effect.forkChild(test.get("/slow"))
      yield* until(() => ran.length === 1)
      const second = yield* Effect.forkChild(test.get("/stats"))
      yield* until(() => gate.queued === 1)
      assert.deepStrictEqual(ran, ["slow"])
      yield* open
      ;(yield* Fiber.join(first)).expectStatus(200)
      ;(yield* Fiber.join(second)).expectStatus(200)
      assert.deepStrictEqual(ran, ["slow", "stats"])
    })
  )

  it.effect("is refused with 503 and when to come again if the queue is full", () =>
    Effect.gen(function* () {
      const { app, open, ran } = make()
      const config = { overload: { ...one.overload, maxQueue: 1, retryAfter: "1500 millis" } }
      const test = yield* TestApp.make(app, { config })
      const { gate } = yield* test.run(guarded)
      yield* Effect.forkChild(test.get("/slow"))
      yield* until(() => ran.length === 1)
      const waiting = yield* Effect.forkChild(test.get("/slow"))
      yield* until(() => gate.queued === 1)
      for (const path of ["/raw", "/slow", "/stats"]) {
        const refused = yield* test.get(path)
        refused
          .expectProblem("OVERLOADED", 503, {
            detail: "The service has too many requests to take this one",
            instance: path
          })
          .expectHeader("retry-after", "2")
      }
      // Its caller is not asked for credentials: it may turn out to be more important.
      ;(yield* test.get("/mine")).expectProblem("OVERLOADED", 503)
      yield* open
      ;(yield* Fiber.join(waiting)).expectStatus(200)
      assert.deepStrictEqual(ran, ["slow", "slow"])
    })
  )

  it.effect("is refused after the longest wait", () =>
    Effect.gen(function* () {
      const { app, open, ran } = make()
      const test = yield* TestApp.make(app, { config: one })
      const { gate } = yield* test.run(guarded)
      yield* Effect.forkChild(test.get("/slow"))
      yield* until(() => ran.length === 1)
      const waiting = yield* Effect.forkChild(test.get("/slow"))
      yield* until(() => gate.queued === 1)
      yield* TestClock.adjust("900 millis")
      assert.strictEqual(gate.queued, 1)
      yield* TestClock.adjust("200 millis")
      ;(yield* Fiber.join(waiting)).expectProblem("OVERLOADED", 503)
      assert.strictEqual(gate.queued, 0)
      yield* open
    })
  )

  it.effect("takes the place of a less important one, by its route or its caller", () =>
    Effect.gen(function* () {
      const { app, open, ran } = make()
      const config = { overload: { ...one.overload, maxQueue: 2 } }
      const test = yield* TestApp.make(app, { config })
      const { gate } = yield* test.run(guarded)
      yield* Effect.forkChild(test.get("/slow"))
      yield* until(() => ran.length === 1)
      const stats = yield* Effect.forkChild(test.get("/stats"))
      yield* until(() => gate.queued === 1)
      const mine = yield* Effect.forkChild(test.get("/mine", as("ada")))
      yield* until(() => gate.queued === 2)
      const pay = yield* Effect.forkChild(test.get("/pay"))
      ;(yield* Fiber.join(stats)).expectProblem("OVERLOADED", 503)
      const root = yield* Effect.forkChild(test.get("/slow"))
      ;(yield* Fiber.join(root)).expectProblem("OVERLOADED", 503)
      yield* open
      ;(yield* Fiber.join(mine)).expectStatus(200)
      ;(yield* Fiber.join(pay)).expectStatus(200)
      assert.deepStrictEqual(ran, ["slow", "pay", "mine"])
    })
  )

  it.effect("of a privileged caller comes first", () =>
    Effect.gen(function* () {
      const { app, open, ran } = make()
      const test = yield* TestApp.make(app, { config: one })
      const { gate } = yield* test.run(guarded)
      yield* Effect.forkChild(test.get("/slow"))
      yield* until(() => ran.length === 1)
      const stats = yield* Effect.forkChild(test.get("/stats"))
      yield* until(() => gate.queued === 1)
      const mine = yield* Effect.forkChild(test.get("/mine", as("root")))
      yield* until(() => gate.queued === 2)
      yield* open
      yield* Fiber.joinAll([stats, mine])
      assert.deepStrictEqual(ran, ["slow", "mine", "stats"])
    })
  )

  it.effect("waits for a handler that runs on after its time limit", () =>
    Effect.gen(function* () {
      const { app, open, ran } = make()
      const test = yield* TestApp.make(app, { config: one })
      const { concurrency, gate } = yield* test.run(guarded)
      const ends = vi.spyOn(concurrency, "end")
      yield* Effect.addFinalizer(() => open)
      const late = yield* Effect.forkChild(test.get("/stubborn"))
      yield* until(() => ran.length === 1)
      yield* TestClock.adjust("1 second")
      ;(yield* Fiber.join(late)).expectProblem("TIMEOUT", 504)
      assert.strictEqual(concurrency.inFlight, 1)
      yield* TestClock.adjust("1 minute")
      const next = yield* Effect.forkChild(test.get("/slow"))
      yield* until(() => gate.queued === 1)
      assert.deepStrictEqual(ran, ["stubborn"])
      yield* open
      ;(yield* Fiber.join(next)).expectStatus(200)
      // The time after its reply is not that of the route.
      const [at, later] = ends.mock.calls.map((call) => call[1])
      assert.isAtLeast(later! - at!, 60_000)
      yield* until(() => concurrency.inFlight === 0)
    })
  )

  it.effect("leaves the queue if its client goes away", () =>
    Effect.gen(function* () {
      const { app, open, ran } = make()
      const test = yield* TestApp.make(app, { config: one })
      const { concurrency, gate } = yield* test.run(guarded)
      yield* Effect.forkChild(test.get("/slow"))
      yield* until(() => ran.length === 1)
      const clients = yield* Effect.forEach(Array.from({ length: 50 }), () =>
        Effect.forkChild(test.get("/slow"))
      )
      yield* until(() => gate.queued === 50)
      yield* Fiber.interruptAll(clients)
      yield* until(() => gate.queued === 0)
      yield* open
      yield* until(() => concurrency.inFlight === 0)
      assert.deepStrictEqual(ran, ["slow"])
    })
  )
})

describe("under overload", () => {
  it.effect("bare routes, probes, metrics and exempt endpoints are served", () =>
    Effect.gen(function* () {
      const { app, open, ran } = make()
      const config = { overload: { ...one.overload, maxQueue: 1 } }
      const test = yield* TestApp.make(app, { config })
      const { gate } = yield* test.run(guarded)
      yield* Effect.forkChild(test.get("/slow"))
      yield* until(() => ran.length === 1)
      yield* Effect.forkChild(test.get("/slow"))
      yield* until(() => gate.queued === 1)
      for (const path of ["/alive", "/exempt", "/healthcheck", "/livez", "/metrics", "/readyz"]) {
        ;(yield* test.get(path)).expectStatus(200)
      }
      ;(yield* test.get("/nowhere")).expectProblem("ROUTE_NOT_FOUND", 404)
      yield* open
    })
  )

  it.effect("metrics count refusals by route and reason, and a warning comes once a minute", () =>
    Effect.gen(function* () {
      const { app, open, ran } = make()
      const config = { overload: { ...one.overload, maxQueue: 1, maxWait: "1 hour" } }
      const test = yield* TestApp.make(app, { config })
      const { gate } = yield* test.run(guarded)
      yield* Effect.forkChild(test.get("/slow"))
      yield* until(() => ran.length === 1)
      yield* Effect.forkChild(test.get("/slow"))
      yield* until(() => gate.queued === 1)
      const warnings = () =>
        test.logs.filter(({ message }) => message.includes("overloaded")).map((one) => one.message)
      for (let i = 0; i < 3; i++) yield* test.get("/stats")
      yield* until(() => warnings().length === 1)
      yield* TestClock.adjust("61 seconds")
      yield* test.get("/stats")
      yield* until(() => warnings().length === 2)
      assert.deepStrictEqual(warnings(), [
        "A request was refused since the last warning: the app is overloaded",
        "3 requests were refused since the last warning: the app is overloaded"
      ])
      const { text } = yield* test.get("/metrics")
      const shed = valueOf(text, "flange_overload_refused_requests_total", {
        flange_overload_reason: "queue_full",
        http_route: "/stats"
      })
      assert.strictEqual(shed, 4)
      assert.strictEqual(valueOf(text, "flange_overload_limit"), 1)
      assert.strictEqual(valueOf(text, "flange_overload_in_flight"), 1)
      assert.strictEqual(valueOf(text, "flange_overload_queued"), 1)
      yield* open
    })
  )

  it.effect("overload.enabled false admits everything", () =>
    Effect.gen(function* () {
      const { app, open, ran } = make()
      const config = { overload: { ...one.overload, enabled: false, maxQueue: 1 } }
      const test = yield* TestApp.make(app, { config })
      const all = yield* Effect.forEach([1, 2, 3, 4], () => Effect.forkChild(test.get("/slow")))
      yield* until(() => ran.length === 4)
      yield* open
      for (const reply of yield* Fiber.joinAll(all)) reply.expectStatus(200)
    })
  )
})

describe("what lasts", () => {
  it.effect("a stream is counted until it begins", () =>
    Effect.gen(function* () {
      const { app, open } = make()
      const test = yield* TestApp.make(app, { config: one })
      const { concurrency } = yield* test.run(guarded)
      yield* Effect.forkChild(test.fetch(new Request(`${test.url}/feed`)))
      yield* Effect.forkChild(test.fetch(new Request(`${test.url}/feed`)))
      yield* until(() => concurrency.inFlight === 0)
      yield* open
      ;(yield* test.get("/slow")).expectStatus(200)
    })
  )

  it.effect("a handler that reads the request itself is not counted", () =>
    Effect.gen(function* () {
      const { app, open, ran } = make()
      const test = yield* TestApp.make(app, { config: one })
      const { concurrency } = yield* test.run(guarded)
      const raw = yield* Effect.forEach([1, 2], () => Effect.forkChild(test.get("/raw")))
      yield* until(() => ran.length === 2)
      assert.strictEqual(concurrency.inFlight, 0)
      yield* open
      for (const reply of yield* Fiber.joinAll(raw)) reply.expectStatus(200)
    })
  )
})

describe("readiness", () => {
  it.effect.each([
    { overload: { maxHeap: 0.000_001 }, reason: "overload.maxHeap (0.000001)" },
    { overload: { maxHandles: 1 }, reason: "more than overload.maxHandles (1)" }
  ])("ends if the process has too much: $reason", ({ overload, reason }) =>
    Effect.gen(function* () {
      // Handles of the process.
      const timers = [setTimeout(() => {}, 60_000), setTimeout(() => {}, 60_000)]
      const test = yield* TestApp.make(make().app, { config: { overload } })
      const reply = yield* test.get("/readyz")
      for (const timer of timers) clearTimeout(timer)
      reply.expectProblem("SERVICE_UNAVAILABLE", 503)
      const causes = test.logs.map(({ cause }) => String(cause))
      assert.isTrue(causes.some((cause) => cause.includes(reason)))
    })
  )
})

describe("the check of the heap", () => {
  it.effect(
    "does not read the statistics of the heap, for which Bun walks through all objects",
    () =>
      Effect.gen(function* () {
        const statistics = vi.spyOn(process.getBuiltinModule("node:v8"), "getHeapStatistics")
        syncBuiltinESMExports()
        yield* Effect.addFinalizer(() =>
          Effect.sync(() => {
            statistics.mockRestore()
            syncBuiltinESMExports()
          })
        )
        const test = yield* TestApp.make(make().app)
        statistics.mockClear()
        ;(yield* test.get("/readyz")).expectStatus(200)
        assert.strictEqual(statistics.mock.calls.length, 0)
      })
  )
})

describe("the contract", () => {
  it("shows 503 where an endpoint may be refused", () => {
    const { app } = make()
    const { routes } = App.describe(app)
    const codesOf = (path: string) =>
      Object.values(routes.find((route) => route.path === path)!.errors).flat()
    assert.include(codesOf("/slow"), "OVERLOADED")
    for (const path of ["/alive", "/exempt", "/livez"]) {
      assert.notInclude(codesOf(path), "OVERLOADED")
    }
  })

  it.effect("has the refusal in its OpenAPI document", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(make().app)
      const { paths } = (yield* test.get("/openapi.json")).json as OpenApi.OpenAPISpec
      const of = (path: string) => JSON.stringify(paths[path]!.get!.responses[503])
      assert.include(of("/slow"), "Overloaded")
      assert.include(of("/slow"), "retry-after")
      assert.notInclude(of("/exempt"), "Overloaded")
    })
  )

  it.effect("refuses a least limit above the highest", () =>
    Effect.gen(function* () {
      const { app } = make()
      const config = { overload: { maxConcurrency: 4, minConcurrency: 5 } }
      const error = yield* Effect.flip(TestApp.make(app, { config }))
      assert.include(String(error), "minConcurrency")
    })
  )
})
