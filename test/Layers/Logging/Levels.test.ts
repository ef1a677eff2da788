import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { App, Middleware, Plugin, Route } from "flange"
import { MockAuth } from "flange/Auth/Testing"
import * as Logging from "flange/Logging"
import { TestApp } from "flange/Testing"
import { listening, parsed } from "./lines.ts"

class OpenApi extends HttpApiGroup.make("open").add(
  HttpApiEndpoint.get("one", "/one/:id", { params: { id: Schema.String } }),
  HttpApiEndpoint.get("two", "/two")
) {}
class OwnApi extends HttpApiGroup.make("own").add(HttpApiEndpoint.get("own", "/own")) {}
class OtherApi extends HttpApiGroup.make("other").add(HttpApiEndpoint.get("other", "/other")) {}

const chatty = Effect.andThen(
  Effect.logDebug("debugging"),
  Logging.module("billing:invoices")(Effect.logDebug("rounding"))
)

const Shop = Plugin.make("app:shop", {
  routes: [
    Route.public(OpenApi, (handlers) =>
      handlers.handleAll({ one: () => chatty, two: () => chatty })
    ),
    Route.protected(OwnApi, (handlers) => handlers.handleAll({ own: () => chatty }))
  ]
})
const Other = Plugin.make("app:other", {
  routes: [Route.public(OtherApi, (handlers) => handlers.handleAll({ other: () => chatty }))]
})
const Wrapped = Plugin.make("app:wrapped", {
  // Everything inside runs as one effect.
  middleware: [
    Middleware.make("wrapped", { build: Effect.succeed(() => (next) => next), slot: "Logging" })
  ]
})

const plugins = [MockAuth.as("ada"), Shop, Other]

/** Returns the messages that requests write, without the times of access lines. */
const messages = async (
  values: object,
  paths: ReadonlyArray<string>,
  more: ReadonlyArray<Plugin.Any> = []
) => {
  const { lines, url } = await listening([...plugins, ...more], { logging: values })
  const before = lines.length
  for (const path of paths) await fetch(url + path)
  return parsed(lines.slice(before)).map(({ message }) => message.replace(/ \d+ms$/, ""))
}

describe("a level of the configuration", () => {
  it("without rules hides the lines below it", async () => {
    expect(await messages({}, ["/one/1", "/own"])).toEqual(["GET /one/:id 204", "GET /own 204"])
  })

  it.each(["/one/:id", "GET /one/:id"])("for the route %s shows its lines alone", async (route) => {
    expect(
      await messages({ levels: { routes: { [route]: "debug" } } }, ["/one/1", "/two"])
    ).toEqual(["debugging", "rounding", "GET /one/:id 204", "GET /two 204"])
  })

  it("for a route hides its access line too", async () => {
    const levels = { routes: { "/one/:id": "warn" } }
    expect(await messages({ levels }, ["/one/1", "/two"])).toEqual(["GET /two 204"])
  })

  it("below that of the app shows the access line", async () => {
    const levels = { routes: { "/one/:id": "info" } }
    expect(await messages({ level: "warn", levels }, ["/one/1", "/two"])).toEqual([
      "GET /one/:id 204"
    ])
  })

  it.each([[], [Wrapped]])(
    "for a caller shows the lines of their requests alone",
    async (...more) => {
      const levels = { identities: { ada: "debug" } }
      expect(await messages({ levels }, ["/own", "/two"], more)).toEqual([
        "Caller authenticated",
        "debugging",
        "rounding",
        "GET /own 204",
        "GET /two 204"
      ])
      expect(await messages({ levels: { identities: { eve: "debug" } } }, ["/own"], more)).toEqual([
        "GET /own 204"
      ])
    }
  )

  it("for a plugin or a module shows its lines alone", async () => {
    expect(
      await messages({ levels: { modules: { "app:other": "debug" } } }, ["/other", "/two"])
    ).toEqual(["debugging", "rounding", "GET /other 204", "GET /two 204"])
    expect(await messages({ levels: { modules: { billing: "debug" } } }, ["/two"])).toEqual([
      "rounding",
      "GET /two 204"
    ])
    expect(
      await messages({ levels: { modules: { bill: "debug", "billing:x": "debug" } } }, ["/two"])
    ).toEqual(["GET /two 204"])
    expect(await messages({ levels: { modules: { "*": "debug" } } }, ["/two"])).toHaveLength(3)
  })

  it("that is less severe wins over another one", async () => {
    const levels = {
      identities: { ada: "debug" },
      modules: { billing: "error" },
      routes: { "/own": "error" }
    }
    expect(await messages({ levels }, ["/own"])).toEqual([
      "Caller authenticated",
      "debugging",
      "rounding",
      "GET /own 204"
    ])
  })

  it.each([
    [{ routes: { orders: "debug" } }, '"orders" is not a route'],
    [{ modules: { app: "loud" } }, "one of trace, debug, info"]
  ])("that cannot hold is refused: %j", async (levels, reason) => {
    const app = App.make("shop", [Logging.plugin], {
      config: { values: { logging: { levels } }, variables: {} }
    })
    const web = App.toWebHandler(app)
    const error = await web.handler(new Request("http://app/")).catch((error: unknown) => error)
    expect(String(error)).toContain(reason)
    await web.dispose()
  })
})

const testing = Effect.gen(function* () {
  const app = yield* TestApp.make(App.make("shop", [Logging.plugin, ...plugins]))
  const levels = yield* app.run(Logging.LogLevels)
  const debugged = (path: string) =>
    Effect.gen(function* () {
      const before = app.logs.length
      yield* app.get(path)
      return app.logs
        .slice(before)
        .filter(({ level }) => level === "Debug")
        .map(({ message }) => message)
    })
  return { debugged, levels }
})

const one = { name: "/one/:id", type: "route" } as const

describe("a level that is set", () => {
  it.effect("holds at once, and what held before holds after its time", () =>
    Effect.gen(function* () {
      const { debugged, levels } = yield* testing
      expect(yield* debugged("/one/1")).toEqual([])
      yield* levels.set(one, "debug", "10 minutes")
      expect(yield* debugged("/one/1")).toEqual(["debugging", "rounding"])
      expect(yield* debugged("/two")).toEqual([])
      yield* levels.set(one, "error", "1 minute")
      expect(yield* debugged("/one/1")).toEqual([])
      yield* TestClock.adjust("1 minute")
      expect(yield* debugged("/one/1")).toEqual(["debugging", "rounding"])
      expect(yield* levels.list).toMatchObject([{ ...one, expiresAt: 600_000, level: "debug" }])
      yield* TestClock.adjust("9 minutes")
      expect(yield* debugged("/one/1")).toEqual([])
      expect(yield* levels.list).toEqual([])
    })
  )

  it.effect("is for the requests of one caller", () =>
    Effect.gen(function* () {
      const { debugged, levels } = yield* testing
      yield* levels.set({ name: "ada", type: "identity" }, "debug", "1 minute")
      expect(yield* debugged("/own")).toEqual(["Caller authenticated", "debugging", "rounding"])
      expect(yield* debugged("/two")).toEqual([])
    })
  )

  it.effect("ends with a reset", () =>
    Effect.gen(function* () {
      const { debugged, levels } = yield* testing
      yield* levels.set(one, "debug", "1 minute")
      yield* levels.set({ name: "billing", type: "module" }, "debug", "1 minute")
      yield* levels.reset(one)
      expect(yield* debugged("/one/1")).toEqual(["rounding"])
      yield* levels.reset()
      expect(yield* debugged("/one/1")).toEqual([])
    })
  )

  it.effect("is one of at most 100", () =>
    Effect.gen(function* () {
      const { levels } = yield* testing
      const set = (name: string) => levels.set({ name, type: "identity" }, "debug", "1 minute")
      for (let i = 0; i < 100; i++) yield* set(`user ${i}`)
      expect((yield* Effect.flip(set("one more"))).message).toContain("100 log levels are set")
      yield* TestClock.adjust("1 minute")
      yield* set("one more")
      expect(yield* levels.list).toHaveLength(1)
    })
  )

  it.effect.each([
    [{ name: "orders", type: "route" }, "1 minute", '"orders" is not a route'],
    [{ name: "", type: "identity" }, "1 minute", "has 1 to 512 characters"],
    [one, "0 millis", "at most 7 days"],
    [one, "Infinity", "at most 7 days"]
  ] as const)("is refused if it cannot hold: %j", ([target, time, reason]) =>
    Effect.gen(function* () {
      const { levels } = yield* testing
      expect((yield* Effect.flip(levels.set(target, "debug", time))).message).toContain(reason)
    })
  )
})
