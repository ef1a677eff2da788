/** Middleware that changes finished replies: on every kind of reply, and when it fails. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { App, Middleware, Plugin, Route } from "flange"
import { TestApp } from "flange/Testing"

class TextsApi extends HttpApiGroup.make("texts").add(
  HttpApiEndpoint.get("made", "/made", { success: Schema.String }),
  HttpApiEndpoint.get("read", "/read", { success: Schema.String })
) {}

const stream = HttpServerResponse.stream(Stream.make(Buffer.from("old")), {
  contentType: "text/plain",
  headers: { vary: "Accept" }
})

const sized = HttpServerResponse.stream(Stream.make(Buffer.from("old")), { contentLength: 3 })

const Texts = Plugin.make("app:texts", {
  routes: [
    Route.public(TextsApi, (handlers) =>
      handlers.handleAll({
        made: () =>
          HttpServerResponse.setCookie(HttpServerResponse.text("old"), "a", "b").pipe(Effect.orDie),
        read: () => Effect.succeed("old")
      })
    ),
    Route.raw("sized", HttpRouter.add("GET", "/sized", sized), { access: "public" }),
    Route.raw("stream", HttpRouter.add("GET", "/stream", stream), { access: "public" })
  ]
})

const change: Middleware.Change = {
  added: ["vary", "X-Mode"],
  body: Buffer.from("new"),
  set: ["content-type", "text/new"]
}

const changing = (name: string, transform: Middleware.Transform) =>
  Middleware.transform(name, { build: Effect.succeed(() => transform) })

/** The outer one sees what the inner one has changed. */
const Changes = Plugin.make("app:changes", {
  middleware: [
    changing("outer", (_request, reply) => ({
      set: ["x-seen", `${reply.header("content-type")} ${String(reply.body)}`]
    })),
    changing("inner", (request) => {
      switch (request.header("x-mode")) {
        case "dies":
          return Effect.die(new Error("the change died"))
        case "throws":
          throw new Error("the change threw")
        case "waits":
          return Effect.as(Effect.yieldNow, change)
        default:
          return change
      }
    })
  ]
})

const places = [
  ["in memory", TestApp.make],
  ["through a socket", TestApp.listening]
] as const

describe.each(places)("a transform %s", (_place, boot) => {
  it.live("changes body and headers of every reply, the inner one first", () =>
    Effect.gen(function* () {
      const test = yield* boot(App.make("texts", [Changes, Texts]))
      for (const mode of ["", "waits"]) {
        for (const path of ["/read", "/made", "/stream", "/nowhere"]) {
          const reply = yield* test.get(path, { headers: { "x-mode": mode } })
          reply
            .expectStatus(path === "/nowhere" ? 404 : 200)
            .expectHeader("content-type", "text/new")
            .expectHeader("vary", path === "/stream" ? "Accept, X-Mode" : "X-Mode")
            .expectHeader("x-seen", "text/new new")
          assert.strictEqual(reply.text, "new")
          assert.strictEqual(reply.headers.has("set-cookie"), path === "/made")
        }
      }
    })
  )

  it.live("that throws or dies is answered with 500 and logged", () =>
    Effect.gen(function* () {
      const test = yield* boot(App.make("texts", [Changes, Texts]))
      for (const mode of ["dies", "throws"]) {
        for (const path of ["/read", "/stream"]) {
          const reply = yield* test.get(path, { headers: { "x-mode": mode } })
          reply.expectProblem("INTERNAL_ERROR", 500)
        }
      }
      assert.strictEqual(test.logs.filter(({ level }) => level === "Error").length, 4)
    })
  )

  it.live(
    "that fails keeps what is set in front of the handler, and no change of a transform",
    () =>
      Effect.gen(function* () {
        const Cookies = Plugin.make("app:cookies", {
          middleware: [
            Middleware.before("cookies", {
              build: Effect.succeed(() => (request) => {
                request.setCookie("seen", "yes")
                request.setHeader("x-before", "set")
                return Middleware.pass
              }),
              slot: "Custom"
            }),
            changing("failing", (request) => {
              if (request.header("x-mode") === "throws") throw new Error("the change threw")
              return Effect.die(new Error("the change died"))
            }),
            changing("encoding", (_request, { status }) =>
              status === 200 ? { ...change, set: ["content-encoding", "test"] } : undefined
            )
          ]
        })
        const test = yield* boot(App.make("texts", [Cookies, Texts]))
        for (const mode of ["dies", "throws"]) {
          for (const path of ["/read", "/made", "/stream"]) {
            const reply = yield* test.get(path, { headers: { "x-mode": mode } })
            reply.expectProblem("INTERNAL_ERROR", 500).expectHeader("x-before", "set")
            assert.include(reply.headers.get("set-cookie"), "seen=yes")
            assert.isFalse(reply.headers.has("content-encoding"))
            assert.isFalse(reply.headers.has("vary"))
          }
        }
      })
  )

  it.live("does not frame the body, see its length, or replace the id of the request", () =>
    Effect.gen(function* () {
      const seen: Array<string | undefined> = []
      const Framing = Plugin.make("app:framing", {
        middleware: [
          changing("framing", (_request, reply) => {
            seen.push(reply.header("content-length"))
            return { set: ["content-length", "1", "x-request-id", "other", "vary", "X-Mode"] }
          })
        ]
      })
      const test = yield* boot(App.make("texts", [Framing, Texts]))
      for (const path of ["/read", "/made", "/stream", "/sized"]) {
        const reply = yield* test.get(path, { headers: { "x-request-id": "framing-test" } })
        reply.expectStatus(200).expectHeader("x-request-id", "framing-test")
        reply.expectHeader("vary", path === "/stream" ? "Accept, X-Mode" : "X-Mode")
        assert.strictEqual(reply.text.replaceAll('"', ""), "old")
      }
      assert.deepStrictEqual(seen, [undefined, undefined, undefined, undefined])
    })
  )
})
