import { describe, expect, it, layer } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { App, AppRuntime, Plugin, Route } from "flange"
import { type LogEntry, TestApp } from "flange/Testing"
import { failure } from "./failure.ts"
import { app, Greeter, printed, Unknown } from "./fixtures.ts"

/** Waits until the handler has logged: through a socket, a request takes real time to arrive. */
const logged = (test: { readonly logs: ReadonlyArray<LogEntry> }, text: string) =>
  TestClock.withLive(
    Effect.repeat(Effect.sleep("5 millis"), {
      until: () => test.logs.some(({ message }) => message === text)
    })
  )

const places = [
  ["in memory", TestApp.make],
  ["listening", TestApp.listening]
] as const

const SettingsOfLibrary = Config.all({
  path: Config.option(Config.String("PATH")),
  size: Config.withDefault(Config.Int("size"), 0).pipe(Config.nested("pool"))
})

class LibraryApi extends HttpApiGroup.make("library").add(
  HttpApiEndpoint.get("settings", "/settings", { success: Schema.Array(Schema.Json) })
) {}

/** A plugin whose layer, `ready` and handler read `effect/Config`, as a library does. */
const libraryApp = () => {
  const seen: Array<Schema.Json> = []
  const look = Effect.map(Effect.orDie(SettingsOfLibrary), ({ path, size }) => {
    seen.push({ path: Option.getOrNull(path), size })
    return seen
  })
  const LibraryPlugin = Plugin.make("test:library", {
    layer: Layer.effectDiscard(look),
    ready: () => look,
    routes: [Route.public(LibraryApi, (handlers) => handlers.handleAll({ settings: () => look }))]
  })
  return App.make("library", [LibraryPlugin])
}

describe.each(places)("an app %s", (_place, make) => {
  it.effect("effect/Config reads the app's configuration and nothing of the process", () =>
    Effect.gen(function* () {
      expect(process.env["PATH"]).toBeDefined()
      const test = yield* make(libraryApp(), { values: { pool: { size: 3 } }, variables: {} })
      const seen = { path: null, size: 3 }
      ;(yield* test.get("/settings")).expectJson([seen, seen, seen])
    })
  )

  it.effect("effect/Config reads the variables of the test by their own names", () =>
    Effect.gen(function* () {
      const variables = { FLANGE__POOL__SIZE: "4", PATH: "/of/the/test" }
      const test = yield* make(libraryApp(), { values: { pool: { size: 3 } }, variables })
      const seen = { path: "/of/the/test", size: 4 }
      ;(yield* test.get("/settings")).expectJson([seen, seen, seen])
    })
  )

  it.effect("answers requests by path, and its client has the types of the contract", () =>
    Effect.gen(function* () {
      const test = yield* make(app)
      const reply = yield* test.get("/greet/Ada")
      reply.expectStatus(200).expectHeader("content-type", /json/).expectJson("Hello, Ada")
      expect(yield* test.client.greet.greet({ params: { name: "Ada" } })).toBe("Hello, Ada")
      const error = yield* Effect.flip(test.client.greet.greet({ params: { name: "nobody" } }))
      expect(error).toBeInstanceOf(Unknown)
    })
  )

  it.effect("accepts JSON, raw bodies, headers and queries", () =>
    Effect.gen(function* () {
      const test = yield* make(app)
      const json = yield* test.post("/echo", { json: { value: [1] } })
      json.expectStatus(200).expectJson({ value: [1] })
      const body = yield* test.request("POST", "/echo", {
        body: '{"value":"as it is"}',
        headers: { "content-type": "application/json", "x-request-id": "mine" }
      })
      body.expectHeader("x-request-id", "mine").expectJson({ value: "as it is" })
      const query = yield* test.get("/query", { query: { tag: ["a&b", "c"] } })
      query.expectJson(["a&b", "c"])
      expect(query.path).toBe("/query?tag=a%26b&tag=c")
      const head = yield* test.head("/greet/Ada")
      expect([head.status, head.text]).toEqual([200, ""])
      const options = yield* test.options("/greet/Ada")
      options.expectStatus(204).expectHeader("allow", "GET, HEAD, OPTIONS")
      const wrong = yield* test.delete("/greet/Ada")
      wrong.expectProblem("METHOD_NOT_ALLOWED", 405, { allow: ["GET", "HEAD", "OPTIONS"] })
    })
  )

  it.effect("runs on the test's clock", () =>
    Effect.gen(function* () {
      const test = yield* make(app)
      yield* TestClock.setTime(12_345)
      expect((yield* test.get("/now")).json).toBe(12_345)
      expect(yield* test.client.greet.now()).toBe(12_345)
      const slow = yield* Effect.forkChild(test.get("/slow"))
      yield* logged(test, "slow began")
      yield* TestClock.adjust("1 hour")
      const reply = yield* Fiber.join(slow)
      reply.expectStatus(200).expectJson("done")
    })
  )

  it.effect("provides its services, and runs effects with them", () =>
    Effect.gen(function* () {
      const test = yield* make(app)
      const greeting = Effect.flatMap(Greeter, (greeter) => greeter.greet("Ada"))
      expect(yield* test.run(greeting)).toBe("Hello, Ada")
      const { environment, status } = yield* test.run(AppRuntime)
      expect([environment, yield* status]).toEqual(["test", "ready"])
    })
  )

  it.effect(
    "collects its log in `logs` until it is released, whatever loggers it has, and prints nothing",
    () =>
      Effect.gen(function* () {
        printed.length = 0
        const scope = yield* Scope.make()
        const test = yield* Scope.provide(make(app), scope)
        test.expectNoErrors()
        const reply = yield* test.get("/broken")
        reply.expectProblem("INTERNAL_ERROR", 500)
        expect(reply.text).not.toContain("secret")
        const [entry] = test.logs
        expect(entry).toMatchObject({
          annotations: { requestId: reply.headers.get("x-request-id") },
          level: "Error",
          message: "Request failed"
        })
        expect(Cause.pretty(entry!.cause!)).toContain("secret things")
        expect(failure(test.expectNoErrors).message).toContain("secret things")
        yield* Scope.close(scope, Exit.void)
        expect(test.logs.at(-1)?.message).toBe("greeter released")
        expect(printed).toEqual([])
      })
  )

  it.effect("is released even if a request of the test is still in flight", () =>
    Effect.gen(function* () {
      const test = yield* Effect.scoped(
        Effect.gen(function* () {
          const test = yield* make(app)
          yield* Effect.forkDetach(test.get("/slow"))
          yield* logged(test, "slow began")
          return test
        })
      )
      expect(test.logs.map(({ message }) => message)).toContain("slow was interrupted")
    })
  )

  it.effect("finishes requests in flight while it drains, on the test's clock", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const test = yield* Scope.provide(
        make(app, { config: { app: { drainTimeout: "2 hours" } } }),
        scope
      )
      const slow = yield* Effect.forkChild(test.get("/slow"))
      yield* logged(test, "slow began")
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
      yield* TestClock.adjust("1 hour")
      ;(yield* Fiber.join(slow)).expectStatus(200)
      yield* Fiber.join(closing)
    })
  )

  it.effect("is released with its scope", () =>
    Effect.gen(function* () {
      const test = yield* Effect.scoped(make(app))
      expect(yield* test.run(Effect.flatMap(AppRuntime, ({ status }) => status))).toBe("stopped")
    })
  )
})

describe("an app in memory", () => {
  it.effect("interrupts a request whose sender is interrupted", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(app)
      const slow = yield* Effect.forkChild(test.get("/slow"))
      yield* logged(test, "slow began")
      yield* Fiber.interrupt(slow)
      yield* logged(test, "slow was interrupted")
      expect(test.logs.map(({ message }) => message)).toEqual([
        "slow began",
        "slow was interrupted"
      ])
    })
  )

  it.effect("sends web requests unchanged", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(app)
      const reply = yield* test.fetch(new Request(`${test.url}/greet/Ada`))
      expect(yield* Effect.promise(() => reply.json())).toBe("Hello, Ada")
    })
  )

  it.effect("writes with its own loggers if `printLogs` is set", () =>
    Effect.gen(function* () {
      printed.length = 0
      const test = yield* TestApp.make(app, { printLogs: true })
      yield* test.get("/broken")
      expect(printed).toHaveLength(1)
      expect(test.logs).toHaveLength(1)
    })
  )

  it.effect("fails with the error of a plugin", () =>
    Effect.gen(function* () {
      const Failing = Plugin.make("test:failing", { ready: () => Effect.fail("no" as const) })
      expect(yield* Effect.flip(TestApp.make(App.make("failing", [Failing])))).toBe("no")
    })
  )
})

layer(TestApp.layer(app))("an app as a layer", (it) => {
  it.effect("provides the app and its services, and requests run on the clock of each test", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.service(app)
      const greeter = yield* Greeter
      expect(yield* greeter.greet("Ada")).toBe("Hello, Ada")
      yield* TestClock.adjust("2 seconds")
      expect((yield* test.get("/now")).json).toBe(2000)
    })
  )
})

describe("layerListening", () => {
  it.live("listens on a free port of 127.0.0.1", () =>
    Effect.gen(function* () {
      const { url } = yield* TestApp.service(app)
      expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
      const reply = yield* Effect.promise(() => fetch(`${url}/greet/Ada`))
      expect(reply.status).toBe(200)
    }).pipe(Effect.provide(TestApp.layerListening(app)))
  )
})
