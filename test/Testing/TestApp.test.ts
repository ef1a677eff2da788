import { AssertionError } from "node:assert"
import { existsSync } from "node:fs"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it, layer } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { App, AppRuntime, Plugin } from "flange"
import { type LogEntry, type Options, TestApp, TestOptionsError } from "flange/Testing"
import { app, Greeter, GreeterPlugin, GreetPlugin, printed, Unknown } from "./fixtures.ts"

const greetsLoudly = Layer.succeed(Greeter, {
  greet: (name) => Effect.succeed(name.toUpperCase())
})

const failure = (run: () => unknown): AssertionError => {
  try {
    run()
  } catch (error) {
    expect(error).toBeInstanceOf(AssertionError)
    return error as AssertionError
  }
  throw new Error("It did not fail")
}

/** Waits until the handler runs: through a socket, a request takes real time to arrive. */
const began = (test: { readonly logs: ReadonlyArray<LogEntry> }) =>
  TestClock.withLive(
    Effect.repeat(Effect.sleep("5 millis"), {
      until: () => test.logs.some(({ message }) => message === "slow began")
    })
  )

const places = [
  ["in memory", TestApp.make],
  ["listening", TestApp.listening]
] as const

describe.each(places)("an app %s", (_place, make) => {
  it.effect("answers by path, and its client with the contract's types", () =>
    Effect.gen(function* () {
      const test = yield* make(app)
      const reply = yield* test.get("/greet/Ada")
      reply.expectStatus(200).expectHeader("content-type", /json/).expectJson("Hello, Ada")
      expect(yield* test.client.greet.greet({ params: { name: "Ada" } })).toBe("Hello, Ada")
      const error = yield* Effect.flip(test.client.greet.greet({ params: { name: "nobody" } }))
      expect(error).toBeInstanceOf(Unknown)
    })
  )

  it.effect("takes JSON, bodies as they are, headers and queries", () =>
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
      yield* began(test)
      yield* TestClock.adjust("1 hour")
      const reply = yield* Fiber.join(slow)
      reply.expectStatus(200).expectJson("done")
    })
  )

  it.effect("gives its services, and runs effects with them", () =>
    Effect.gen(function* () {
      const test = yield* make(app)
      const greeting = Effect.flatMap(Greeter, (greeter) => greeter.greet("Ada"))
      expect(yield* test.run(greeting)).toBe("Hello, Ada")
      const { environment, status } = yield* test.run(AppRuntime)
      expect([environment, yield* status]).toEqual(["test", "ready"])
    })
  )

  it.effect(
    "logs into `logs` until it is released, whatever loggers it has, and prints nothing",
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

  it.effect("is released though a test has left a request behind", () =>
    Effect.gen(function* () {
      const test = yield* Effect.scoped(
        Effect.gen(function* () {
          const test = yield* make(app)
          yield* Effect.forkDetach(test.get("/slow"))
          yield* began(test)
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
      yield* began(test)
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
      yield* TestClock.adjust("1 minute")
      yield* Fiber.interrupt(slow)
      yield* TestClock.adjust("1 minute")
      expect(test.logs.map(({ message }) => message)).toEqual([
        "slow began",
        "slow was interrupted"
      ])
    })
  )

  it.effect("sends web requests as they are", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(app)
      const reply = yield* test.fetch(new Request(`${test.url}/greet/Ada`))
      expect(yield* Effect.promise(() => reply.json())).toBe("Hello, Ada")
    })
  )

  it.effect("lets its loggers write with `printLogs`", () =>
    Effect.gen(function* () {
      printed.length = 0
      const test = yield* TestApp.make(app, { printLogs: true })
      yield* test.get("/broken")
      expect(printed).toHaveLength(1)
      expect(test.logs).toHaveLength(1)
    })
  )

  it.effect("fails with what a plugin fails with", () =>
    Effect.gen(function* () {
      const Failing = Plugin.make("test:failing", { ready: () => Effect.fail("no" as const) })
      expect(yield* Effect.flip(TestApp.make(App.make("failing", [Failing])))).toBe("no")
    })
  )
})

layer(TestApp.layer(app))("an app as a layer", (it) => {
  it.effect("is there with its services, and requests run on each test's clock", () =>
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

describe("configuration", () => {
  const greeting = (options: Options) =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(app, { ...options, replace: [] })
      return (yield* test.get("/greet/Ada")).json
    })

  it.effect("is read from neither the environment nor files", () =>
    Effect.gen(function* () {
      process.env["FLANGE__GREETER__GREETING"] = "Process"
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          delete process.env["FLANGE__GREETER__GREETING"]
        })
      )
      const fromFile = App.make("greet", [GreeterPlugin, GreetPlugin], {
        config: { file: "/nowhere/flange.toml" }
      })
      const test = yield* TestApp.make(fromFile)
      ;(yield* test.get("/greet/Ada")).expectJson("Hello, Ada")
    })
  )

  it.effect("comes from the option that is given, `config` above the others", () =>
    Effect.gen(function* () {
      expect(yield* greeting({ config: { greeter: { greeting: "Config" } } })).toBe("Config, Ada")
      expect(yield* greeting({ values: { greeter: { greeting: "Values" } } })).toBe("Values, Ada")
      const variables = { FLANGE__GREETER__GREETING: "Variable" }
      expect(yield* greeting({ variables })).toBe("Variable, Ada")
      expect(yield* greeting({ config: { greeter: { greeting: "Config" } }, variables })).toBe(
        "Config, Ada"
      )
    })
  )

  it.effect("comes from a file or a folder that is named", () =>
    Effect.gen(function* () {
      const directory = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp(join(tmpdir(), "flange-"))),
        (folder) => Effect.promise(() => rm(folder, { recursive: true }))
      )
      const file = join(directory, "flange.toml")
      yield* Effect.promise(() => writeFile(file, '[greeter]\ngreeting = "File"\n'))
      expect(existsSync(file)).toBe(true)
      expect(yield* greeting({ file })).toBe("File, Ada")
      expect(yield* greeting({ directory })).toBe("File, Ada")
    })
  )

  it.effect("has the app's own values in code, with the overlay of the environment", () =>
    Effect.gen(function* () {
      const inCode = App.make("greet", [GreeterPlugin, GreetPlugin], {
        config: {
          values: {
            env: "production",
            environments: {
              production: { greeter: { greeting: "Production" } },
              test: { greeter: { greeting: "Test" } }
            }
          }
        }
      })
      const test = yield* TestApp.make(inCode)
      ;(yield* test.get("/greet/Ada")).expectJson("Test, Ada")
      const production = yield* TestApp.make(inCode, { environment: "production" })
      ;(yield* production.get("/greet/Ada")).expectJson("Production, Ada")
      const named = yield* TestApp.make(inCode, { variables: { FLANGE_ENV: "staging" } })
      expect((yield* named.run(AppRuntime)).environment).toBe("staging")
    })
  )

  it.effect("that is refused says so", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(TestApp.make(app, { config: { greeter: { greeting: 1 } } }))
      expect(error).toMatchObject({ _tag: "ConfigError" })
    })
  )
})

describe("replacement", () => {
  it.effect("by a layer keeps the plugin's routes and runs them on its services", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(app, { replace: [[GreeterPlugin, greetsLoudly]] })
      ;(yield* test.get("/greet/Ada")).expectJson("ADA")
      const real = yield* TestApp.make(app, { replace: [["test:greeter", Greeter.layer]] })
      ;(yield* real.get("/greet/Ada")).expectJson("Hello, Ada")
    })
  )

  it.effect("by a plugin takes its place and its id", () =>
    Effect.gen(function* () {
      const Fake = Plugin.make("fake:greeter", { layer: greetsLoudly, provides: [Greeter] })
      const ordered = App.make("greet", [
        GreeterPlugin,
        GreetPlugin,
        Plugin.make("test:after", { order: { after: [GreeterPlugin] } })
      ])
      const test = yield* TestApp.make(ordered, { replace: [["test:greeter", Fake]] })
      ;(yield* test.get("/greet/Ada")).expectJson("ADA")
      const { description } = yield* test.run(AppRuntime)
      expect(description.plugins.map(({ id }) => id)).toContain("test:greeter")
    })
  )

  it.effect(
    "that lacks a service is refused, a plugin before boot and a layer while it is built",
    () =>
      Effect.gen(function* () {
        const Empty = Plugin.make("fake:empty", {})
        const refused = yield* Effect.flip(
          TestApp.make(app, { replace: [["test:greeter", Empty]] })
        )
        expect(refused).toBeInstanceOf(TestOptionsError)
        expect(String(refused)).toContain(
          '`replace` puts plugin "fake:empty" in the place of "test:greeter" but does not provide test/Greeter'
        )
        const built = yield* Effect.flip(
          TestApp.make(app, { replace: [["test:greeter", Layer.empty]] })
        )
        expect(String(built)).toContain(
          '`replace` gives plugin "test:greeter" a layer that does not provide test/Greeter'
        )
      })
  )
})

describe("contradictory options", () => {
  const cases: ReadonlyArray<readonly [string, object, ReadonlyArray<string>]> = [
    [
      "config and values",
      { config: { greeter: { greeting: "a" } }, values: { greeter: { greeting: "b" } } },
      ["`config.greeter.greeting`", "`values.greeter.greeting`"]
    ],
    [
      "environment and FLANGE_ENV",
      { environment: "test", variables: { FLANGE_ENV: "test" } },
      ["`environment`", "`variables.FLANGE_ENV`"]
    ],
    [
      "environment and values.env",
      { environment: "test", values: { env: "test" } },
      ["`environment`", "`values.env`"]
    ],
    ["file and directory", { directory: ".", file: "a.toml" }, ["`file`", "`directory`"]],
    ["file and values", { file: "a.toml", values: {} }, ["`file`", "`values`"]],
    ["directory and values", { directory: ".", values: {} }, ["`directory`", "`values`"]],
    [
      "replace and the app",
      { replace: [["test:greeterr", greetsLoudly]] },
      ['"test:greeterr"', 'Did you mean "test:greeter"?']
    ],
    [
      "replace and replace",
      {
        replace: [
          [GreeterPlugin, greetsLoudly],
          ["test:greeter", greetsLoudly]
        ]
      },
      ['"test:greeter" twice']
    ]
  ]
  it.effect.each(cases)("%s are refused with both names", ([, options, names]) =>
    Effect.gen(function* () {
      for (const make of [TestApp.make, TestApp.listening]) {
        const error = yield* Effect.flip(make(app, options))
        expect(error).toBeInstanceOf(TestOptionsError)
        for (const name of names) expect(String(error)).toContain(name)
      }
    })
  )

  it.effect("are reported together", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        TestApp.make(app, {
          directory: ".",
          file: "a.toml",
          replace: [["test:nothing", Layer.empty]],
          values: {}
        })
      )
      expect(error).toMatchObject({ app: "greet", problems: { length: 3 } })
    })
  )

  const requests: ReadonlyArray<readonly [string, string, string, object, ReadonlyArray<string>]> =
    [
      ["json and body", "POST", "/echo", { body: "{}", json: {} }, ["`json` and `body`"]],
      ["GET and a body", "GET", "/now", { json: {} }, ["method GET", "`json`"]],
      [
        "query and the path",
        "GET",
        "/query?tag=a",
        { query: { tag: "b" } },
        ["`query`", "/query?tag=a"]
      ],
      ["a path without a slash", "GET", "now", {}, ['write "/now"']]
    ]
  it.effect.each(requests)(
    "of a request, %s, are refused with both names",
    ([, method, path, options, names]) =>
      Effect.gen(function* () {
        const test = yield* TestApp.make(app)
        const exit = yield* Effect.exit(test.request(method, path, options))
        expect(Exit.hasDies(exit)).toBe(true)
        for (const name of names) expect(String(exit)).toContain(name)
      })
  )
})

describe("a failed assertion", () => {
  it.effect("prints method, path, status, request id and body", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(app)
      const reply = yield* test.get("/greet/nobody", { headers: { "x-request-id": "rid" } })
      const { actual, expected, message, stack } = failure(() => reply.expectStatus(200))
      expect([actual, expected]).toEqual([404, 200])
      expect(message).toContain("GET /greet/nobody: expected status 200, received 404")
      expect(message).toContain("x-request-id: rid")
      expect(message).toContain('"detail":"Nobody knows nobody"')
      expect(stack).not.toContain("TestResponse.ts")
    })
  )

  it.effect("prints what the app logged for the request", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(app)
      const reply = yield* test.get("/broken")
      yield* test.get("/broken")
      const { message } = failure(() => reply.expectStatus(204))
      expect(message.split("secret things")).toHaveLength(2)
    })
  )

  it.effect("is thrown by every assertion that does not hold, and by none that does", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(app)
      const reply = yield* test.post("/echo", { json: { value: { a: [1, { b: 2 }], c: 3 } } })
      reply
        .expectStatus(200)
        .expectHeader("content-type", "application/json")
        .expectJson({ value: { a: [1, { b: 2 }], c: 3 } })
        .expectJsonMatch({ value: { a: [1, {}] } })
      const Shape = Schema.Struct({ value: Schema.Struct({ c: Schema.Finite }) })
      expect(reply.decode(Shape)).toEqual({ value: { c: 3 } })
      failure(() => reply.expectHeader("content-type", "text/plain"))
      failure(() => reply.expectHeader("content-type", /xml/))
      failure(() => reply.expectHeader("nothing", /./))
      failure(() => reply.expectJson({ value: { a: [1, { b: 2 }] } }))
      failure(() => reply.expectJsonMatch({ value: { a: [1] } }))
      failure(() => reply.expectJsonMatch({ value: { d: 1 } }))
      failure(() => reply.expectProblem("UNKNOWN", 404))
      failure(() => reply.decode(Schema.String))

      const problem = yield* test.get("/greet/nobody")
      problem.expectProblem("UNKNOWN").expectProblem("UNKNOWN", 404, { name: "nobody" })
      failure(() => problem.expectProblem("OTHER"))
      failure(() => problem.expectProblem("UNKNOWN", 400))
      failure(() => problem.expectProblem("UNKNOWN", 404, { name: "somebody" }))

      const empty = yield* test.options("/now")
      expect(failure(() => empty.json).message).toContain("(empty body)")
    })
  )
})
