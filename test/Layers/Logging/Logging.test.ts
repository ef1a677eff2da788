import * as Http from "node:http"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { App, Plugin, RequestFields, Route } from "flange"
import { MockAuth } from "flange/Auth/Testing"
import * as Logging from "flange/Logging"
import { assert, describe, it } from "vitest"
import { type Lines, listening, parsed } from "./lines.ts"

/** Waits until a line holds the text: lines of a lost connection come when the server has seen it. */
const until = async (lines: Lines, text: string) => {
  while (!lines.some((line) => line.includes(text))) {
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

class ItemsApi extends HttpApiGroup.make("items").add(
  HttpApiEndpoint.get("fail", "/v1/fail"),
  HttpApiEndpoint.get("hang", "/v1/hang"),
  HttpApiEndpoint.get("read", "/v1/items/:id", {
    params: { id: Schema.String },
    success: Schema.String
  })
) {}

class BareApi extends HttpApiGroup.make("bare").add(HttpApiEndpoint.get("bare", "/bare")) {}

const items = (started = Deferred.makeUnsafe<void>()) =>
  Plugin.make("app:items", {
    routes: [
      Route.public(ItemsApi, (handlers) =>
        handlers.handleAll({
          fail: () =>
            Effect.andThen(
              Effect.logWarning("about to fail"),
              Effect.die(new Error("outer", { cause: new Error("inner") }))
            ),
          hang: () => Effect.andThen(Deferred.succeed(started, undefined), Effect.never),
          read: ({ params }) => Effect.as(RequestFields.set({ tenant: "acme" }), params.id)
        })
      ),
      Route.bare(BareApi, (handlers) =>
        handlers.handleAll({ bare: () => Effect.logInfo("inside a bare route") })
      )
    ]
  })

describe("the access line", () => {
  it("says method, route template, path without query, status, duration and request id", async () => {
    const { lines, url } = await listening([items()])
    const before = lines.length
    const reply = await fetch(`${url}/v1/items/7?token=secret`, {
      headers: { "user-agent": "curl/8 (\u009b31m)", "x-request-id": "abc" }
    })
    assert.strictEqual(reply.status, 200)
    const [line, ...rest] = parsed(lines.slice(before))
    assert.deepStrictEqual(rest, [])
    const { durationMs, message, time, ...others } = line!
    assert.deepStrictEqual(others, {
      clientIp: "127.0.0.1",
      environment: "production",
      isPrivileged: false,
      level: "info",
      method: "GET",
      path: "/v1/items/7",
      requestId: "abc",
      route: "/v1/items/:id",
      service: "shop",
      status: 200,
      tenant: "acme",
      userAgent: "curl/8 (31m)",
      version: "1.2.0"
    })
    assert.match(message, /^GET \/v1\/items\/:id 200 \d+ms$/)
    assert.isAtLeast(durationMs, 0)
    assert.isFalse(Number.isNaN(Date.parse(time)))
  })

  it("says who called: the client behind a trusted proxy, and whether it is privileged", async () => {
    class AdminApi extends HttpApiGroup.make("admin").add(HttpApiEndpoint.get("read", "/admin")) {}
    const admin = Plugin.make("app:admin", {
      routes: [
        Route.protected(AdminApi, (handlers) =>
          handlers.handleAll({
            // It may not say itself who it is.
            read: () => RequestFields.set({ level: "none", method: "FAKE", time: "never" })
          })
        )
      ]
    })
    const auth = MockAuth.as("root", { isPrivileged: true })
    const { lines, url } = await listening([auth, admin], {
      server: { trustedProxies: ["127.0.0.1"] }
    })
    await fetch(`${url}/admin`, {
      headers: { "user-agent": "é".repeat(1000), "x-forwarded-for": "198.51.100.7" }
    }).catch(() => undefined)
    await fetch(`${url}/admin`, {
      headers: { "user-agent": "a".repeat(5000), "x-forwarded-for": "198.51.100.7" }
    })
    const text = lines.at(-1)!
    const line = JSON.parse(text)
    assert.deepInclude(line, {
      "annotation.level": "none",
      clientIp: "198.51.100.7",
      isPrivileged: true,
      level: "info",
      method: "GET",
      userAgent: "a".repeat(512)
    })
    const names = [...text.matchAll(/"(\w+)":/g)].map(([, name]) => name)
    assert.deepStrictEqual(names, [...new Set(names)])
  })

  it("is written for what no route takes, and names the path", async () => {
    const { lines, url } = await listening([items()])
    await fetch(`${url}/nowhere?x=1`)
    const line = parsed(lines).at(-1)!
    assert.match(line["message"], /^GET \/nowhere 404 \d+ms$/)
    assert.deepInclude(line, {
      code: "ROUTE_NOT_FOUND",
      path: "/nowhere",
      route: "*",
      status: 404
    })
  })

  it("is never written for a bare route", async () => {
    const { lines, url } = await listening([items()])
    const before = lines.length
    await fetch(`${url}/bare`)
    assert.deepStrictEqual(
      parsed(lines.slice(before)).map(({ message }) => message),
      ["inside a bare route"]
    )
  })

  it("has status 499 when the client goes away", async () => {
    const started = Deferred.makeUnsafe<void>()
    const { lines, url } = await listening([items(started)])
    const request = Http.get(`${url}/v1/hang`)
    request.on("error", () => {})
    await Effect.runPromise(Deferred.await(started))
    request.destroy()
    await until(lines, '"status"')
    assert.deepInclude(parsed(lines).at(-1), { route: "/v1/hang", status: 499 })
  })

  it("has status 503 when the drain cuts the request off", async () => {
    const started = Deferred.makeUnsafe<void>()
    const { close, lines, url } = await listening([items(started)], {
      app: { drainTimeout: "50 millis" }
    })
    const reply = fetch(`${url}/v1/hang`)
    await Effect.runPromise(Deferred.await(started))
    await close()
    assert.strictEqual((await reply).status, 503)
    const line = parsed(lines).find(({ route }) => route === "/v1/hang")
    assert.deepInclude(line, { status: 503 })
  })

  it("shares its request id with everything that is logged in the request", async () => {
    const { lines, url } = await listening([items()])
    const before = lines.length
    const reply = await fetch(`${url}/v1/fail`)
    const id = reply.headers.get("x-request-id")
    const records = parsed(lines.slice(before))
    assert.deepStrictEqual(
      records.map(({ level, requestId }) => [level, requestId]),
      [
        ["warn", id],
        ["error", id],
        ["info", id]
      ]
    )
    const { error } = records[1]!
    assert.strictEqual(error.type, "Error")
    assert.strictEqual(error.message, "outer")
    assert.include(error.stack, "Logging.test.ts")
    assert.strictEqual(error.cause.message, "inner")
  })
})

describe("the level", () => {
  it("holds for requests and plugins, and above info there are no access lines", async () => {
    const { lines, url } = await listening([items()], { logging: { level: "warn" } })
    await fetch(`${url}/v1/items/7`)
    await fetch(`${url}/bare`)
    assert.deepStrictEqual(lines, [])
    await fetch(`${url}/v1/fail`)
    assert.deepStrictEqual(
      parsed(lines).map(({ level }) => level),
      ["warn", "error"]
    )
  })

  it.each(["chatty", "5"])("refuses %j, and says which names there are", async (level) => {
    const app = App.make("shop", [Logging.plugin], {
      config: { values: {}, variables: { LOG_LEVEL: level } }
    })
    const web = App.toWebHandler(app)
    const error = await web.handler(new Request("http://app/")).catch((error: unknown) => error)
    assert.include(String(error), "one of trace, debug, info, warn, error, fatal, none")
    await web.dispose()
  })
})

describe("the loggers", () => {
  it("that were installed besides Effect's own stay", async () => {
    const seen: Array<unknown> = []
    const Capture = Plugin.make("app:capture", {
      layer: Logger.layer([Logger.make(({ message }) => void seen.push(message))], {
        mergeWithExisting: true
      })
    })
    const { lines, url } = await listening([Capture, items()])
    await fetch(`${url}/bare`)
    assert.deepInclude(seen, ["inside a bare route"])
    assert.include(lines.at(-1), "inside a bare route")
  })

  it("reach plugins that are acquired later, and those listed before", async () => {
    const Chatty = Plugin.make("app:chatty", {
      layer: Layer.effectDiscard(Effect.logInfo("acquiring"))
    })
    const { lines } = await listening([Chatty])
    assert.strictEqual(parsed(lines)[0]!["message"], "acquiring")
  })
})

const origin = { environment: "test", service: "shop", version: "1.0.0" }

const logged = (effect: Effect.Effect<void>, logger: Logger.Logger<unknown, string>): string => {
  const lines: Lines = []
  const capture = Logger.map(logger, (line) => void lines.push(line))
  Effect.runSync(
    Effect.provideContext(effect, Context.make(Logger.CurrentLoggers, new Set([capture])))
  )
  assert.lengthOf(lines, 1)
  return lines[0]!
}

describe("a line of JSON", () => {
  const json = (effect: Effect.Effect<void>): Record<string, any> =>
    JSON.parse(logged(effect, Logging.json(origin)))

  it("holds annotations and spans, and never lets an annotation replace a fixed field", () => {
    const line = json(
      Effect.logError("a", 1, true).pipe(
        Effect.annotateLogs({ level: "none", tenant: "t1" }),
        Effect.withLogSpan("work")
      )
    )
    assert.deepInclude(line, {
      "annotation.level": "none",
      level: "error",
      message: "a 1 true",
      tenant: "t1"
    })
    assert.hasAllKeys(line["spans"], ["work"])
  })

  it("holds logged objects as data, without what is redacted", () => {
    const line = json(Effect.logInfo("user", { password: Redacted.make("hunter2"), size: 10n }))
    assert.strictEqual(line["message"], "user")
    assert.deepStrictEqual(line["data"], { password: "<redacted>", size: "10n" })
  })

  it("is written whatever the values are", () => {
    const circle: Record<string, unknown> = { name: "circle" }
    circle["self"] = circle
    const trap = {
      toJSON() {
        throw new Error("no JSON of me")
      }
    }
    assert.strictEqual(json(Effect.logInfo(circle))["data"].name, "circle")
    assert.deepInclude(json(Effect.logInfo("x", trap)), {
      data: "<unreadable: Error: no JSON of me>",
      message: "x"
    })
    assert.strictEqual(json(Effect.logInfo("two\nlines\u2028"))["message"], "two\nlines\u2028")
    assert.strictEqual(
      json(Effect.logInfo(undefined, Symbol("s")))["message"],
      "undefined Symbol(s)"
    )
  })

  it("takes an error that is logged as a value for its error", () => {
    const line = json(Effect.logError("broken", new TypeError("no such method")))
    assert.strictEqual(line["error"].type, "TypeError")
    assert.strictEqual(json(Effect.logError(new TypeError("alone")))["message"], "alone")
  })
})

describe("a pretty line", () => {
  const pretty = (effect: Effect.Effect<void>, colors = false) =>
    logged(effect, Logging.pretty({ colors })).replace(/\d\d:\d\d:\d\d\.\d{3}/, "TIME")

  it("has message and annotations in one line, and the errors with causes below", () => {
    const text = pretty(
      Effect.logError("broken", new Error("outer", { cause: new Error("inner") })).pipe(
        Effect.annotateLogs("tenant", "t1")
      )
    )
    const [first, second] = text.split("\n")
    assert.strictEqual(first, "TIME ERROR broken tenant=t1")
    assert.strictEqual(second, "  Error: outer")
    assert.include(text, "\n  caused by Error: inner")
  })

  it("does not repeat in fields what the message of an access line says", () => {
    const text = pretty(
      Effect.logInfo("GET /a/:b 200 3ms").pipe(
        Effect.annotateLogs({
          durationMs: 3.1,
          method: "GET",
          path: "/a/1",
          route: "/a/:b",
          status: 200
        })
      )
    )
    assert.strictEqual(text, "TIME INFO  GET /a/:b 200 3ms path=/a/1")
  })

  it("lets no control character of a field through, and colours only when asked", () => {
    const text = pretty(Effect.annotateLogs(Effect.logInfo("x"), "path", "/\u001b[2J"))
    assert.strictEqual(text, "TIME INFO  x path=/\\u001b[2J")
    assert.include(pretty(Effect.logWarning("x"), true), "\u001b[33mWARN \u001b[0m")
  })
})
