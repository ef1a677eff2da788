/** Replies that are sent in place of others: which headers and transforms they have. */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { App, Middleware, Plugin, Route } from "flange"
import { TestApp } from "flange/Testing"

class TextsApi extends HttpApiGroup.make("texts").add(
  HttpApiEndpoint.get("deaf", "/deaf", { success: Schema.String }),
  HttpApiEndpoint.get("made", "/made", { success: Schema.String }),
  HttpApiEndpoint.get("read", "/read", { success: Schema.String }),
  HttpApiEndpoint.get("streamed", "/streamed", { success: Schema.String }),
  HttpApiEndpoint.get("unsendable", "/unsendable", { success: Schema.String })
) {}

const made = (headers: Record<string, string>) => HttpServerResponse.text("made", { headers })

const Texts = Plugin.make("app:texts", {
  routes: [
    Route.public(TextsApi, (handlers) =>
      handlers.handleAll({
        deaf: () => Effect.uninterruptible(Effect.as(Effect.sleep("1 second"), "deaf")),
        made: () => Effect.succeed(made({ "cache-control": "public", vary: "Accept" })),
        read: () => Effect.succeed("read"),
        streamed: () =>
          Effect.succeed(
            HttpServerResponse.stream(Stream.make(Buffer.from("a")), {
              headers: { "x-handler": "a\nb" }
            })
          ),
        unsendable: () => Effect.succeed(made({ "x-handler": "a\nb" }))
      })
    )
  ]
})

const changing = (name: string, transform: Middleware.Transform) =>
  Middleware.transform(name, { build: Effect.succeed(() => transform) })

const setting = (name: string, change: (request: Middleware.Incoming) => void) =>
  Middleware.before(name, {
    build: Effect.succeed(() => (request) => {
      change(request)
      return Middleware.pass
    }),
    slot: "TransportSecurity"
  })

/** Marks every reply, and encodes those of 200. The outer one waits, dies or throws if it is asked. */
const Changes = (exceeded: () => void = () => {}) =>
  Plugin.make("app:changes", {
    middleware: [
      Middleware.timeLimit("limit", {
        build: Effect.succeed(() => ({ exceeded, idle: Infinity, limit: 50 }))
      }),
      setting("origin", (request) => request.setHeader("x-allowed", "yes")),
      setting("mode", (request) => {
        if (request.header("x-mode") === "header") request.setHeader("x-before", "a\nb")
      }),
      changing("outer", (request) => {
        switch (request.header("x-mode")) {
          case "bad":
            return { set: ["x-outer", "a\nb"] }
          case "dies":
            return Effect.die(new Error("the change died"))
          case "throws":
            throw new Error("the change threw")
          case "waits":
            return Effect.never
          default:
            return { set: ["x-outer", "seen"] }
        }
      }),
      changing("inner", (_request, reply) => ({
        set: ["x-inner", String(reply.status), ...(reply.status === 200 ? encoded : [])]
      }))
    ]
  })

const encoded = ["content-encoding", "rot13"]

const places = [
  ["in memory", undefined],
  ["on the node listener", "node"],
  ["on the proxied listener", "proxied"]
] as const

/** Boots an app of these plugins and of the routes. */
const boot = (listener: "node" | "proxied" | undefined, plugin: Plugin.Plugin<string>) => {
  const app = App.make("texts", [plugin, Texts])
  return listener === undefined
    ? TestApp.make(app)
    : TestApp.listening(app, { config: { server: { listener } } })
}

describe.each(places)("in place of another reply %s", (_place, listener) => {
  it.live("a 500 is changed by transforms, and has the headers that were set before", () =>
    Effect.gen(function* () {
      const test = yield* boot(listener, Changes())
      for (const [path, mode] of [
        ["/streamed", ""],
        ["/unsendable", ""],
        ["/read", "header"],
        ["/nowhere", "header"]
      ] as const) {
        const reply = yield* test.get(path, { headers: { "x-mode": mode } })
        reply
          .expectProblem("INTERNAL_ERROR", 500)
          .expectHeader("x-allowed", "yes")
          .expectHeader("x-inner", "500")
          .expectHeader("x-outer", "seen")
        assert.isFalse(reply.headers.has("content-encoding"), path)
        assert.isFalse(reply.headers.has("x-before"), path)
      }
    })
  )

  it.live("a 500 lacks the change of the transform that failed, and no other", () =>
    Effect.gen(function* () {
      const test = yield* boot(listener, Changes())
      for (const mode of ["dies", "throws"]) {
        const reply = yield* test.get("/read", { headers: { "x-mode": mode } })
        reply.expectProblem("INTERNAL_ERROR", 500).expectHeader("x-inner", "500")
        assert.isFalse(reply.headers.has("content-encoding"))
        assert.isFalse(reply.headers.has("x-outer"))
      }
    })
  )

  it.live("a 500 is empty if a transform makes every reply unsendable", () =>
    Effect.gen(function* () {
      const test = yield* boot(listener, Changes())
      const reply = yield* test.get("/read", { headers: { "x-mode": "bad" } })
      reply.expectStatus(500)
      assert.strictEqual(reply.text, "")
    })
  )

  it.live(
    "a 504 for a transform that waits lacks what others have changed in the first reply",
    () =>
      Effect.gen(function* () {
        const test = yield* boot(listener, Changes())
        const reply = yield* test.get("/read", { headers: { "x-mode": "waits" } })
        reply
          .expectProblem("TIMEOUT", 504)
          .expectHeader("x-allowed", "yes")
          .expectHeader("x-inner", "504")
        assert.isFalse(reply.headers.has("content-encoding"))
      })
  )

  it.live("a 504 is sent if what counts it throws, and the error is logged", () =>
    Effect.gen(function* () {
      const test = yield* boot(
        listener,
        Changes(() => {
          throw new Error("not counted")
        })
      )
      ;(yield* test.get("/deaf")).expectProblem("TIMEOUT", 504)
      assert.include(String(test.logs.find(({ level }) => level === "Error")?.cause), "not counted")
    })
  )
})

describe.each(places)("a transform %s", (_place, listener) => {
  it.live("sees the values that the headers of the reply have", () =>
    Effect.gen(function* () {
      const Values = Plugin.make("app:values", {
        middleware: [
          Middleware.headers("constant", { build: Effect.succeed(() => ({ vary: "Origin" })) }),
          setting("first", (request) => request.setHeader("x-set", "first")),
          setting("second", (request) => {
            request.setHeader("x-set", "second")
            request.appendHeader("cache-control", "no-transform")
          }),
          changing("seen", (_request, reply) => ({
            set: ["x-seen", ["cache-control", "vary", "x-set"].map(reply.header).join("|")]
          }))
        ]
      })
      const test = yield* boot(listener, Values)
      for (const [path, own] of [
        ["/made", "public, no-transform|Accept, Origin|second"],
        ["/read", "no-transform|Origin|second"]
      ] as const) {
        const reply = yield* test.get(path)
        const named = ["cache-control", "vary", "x-set"].map((name) => reply.headers.get(name))
        assert.strictEqual(named.join("|"), own)
        reply.expectHeader("x-seen", own)
      }
    })
  )
})

describe.each(places)("constant headers %s", (_place, listener) => {
  it.live("that cannot be sent are refused at start", () =>
    Effect.gen(function* () {
      const Wrong = Plugin.make("app:wrong", {
        middleware: [
          Middleware.headers("wrong", { build: Effect.succeed(() => ({ "x-wrong": "a\nb" })) })
        ]
      })
      const exit = yield* Effect.exit(Effect.scoped(boot(listener, Wrong)))
      assert.include(
        Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "",
        "cannot have the constant headers of its middleware. The value of field x-wrong"
      )
    })
  )
})
