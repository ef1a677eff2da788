import { expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { App, Plugin, Preset, Route } from "flange"
import * as Metrics from "flange/Metrics"
import { TestApp } from "flange/Testing"
import { valueOf } from "./samples.ts"

class NotesApi extends HttpApiGroup.make("notes").add(
  HttpApiEndpoint.get("wait", "/wait", { success: Schema.String }),
  HttpApiEndpoint.post("write", "/notes", {
    payload: Schema.String.pipe(HttpApiSchema.asText()),
    success: Schema.String.pipe(HttpApiSchema.asText())
  })
) {}

const raw = HttpRouter.use((router) =>
  Effect.gen(function* () {
    yield* router.add(
      "GET",
      "/endless",
      Effect.succeed(HttpServerResponse.stream(Stream.make(new Uint8Array(10))))
    )
    yield* router.add(
      "GET",
      "/sized",
      Effect.succeed(
        HttpServerResponse.stream(Stream.make(new Uint8Array(10)), { contentLength: 10 })
      )
    )
  })
)

const appWith = (arrived: Deferred.Deferred<void>, go: Deferred.Deferred<void>) =>
  App.make("notes", [
    ...Preset.api,
    Metrics.plugin,
    Plugin.make("test:notes", {
      routes: [
        Route.public(NotesApi, (handlers) =>
          handlers.handleAll({
            wait: () =>
              Effect.as(
                Effect.andThen(Deferred.succeed(arrived, undefined), Deferred.await(go)),
                ""
              ),
            write: ({ payload }) => Effect.succeed(`${payload}ä`)
          })
        ),
        Route.raw("streams", raw, { access: "public" })
      ]
    })
  ])

const make = Effect.gen(function* () {
  const arrived = yield* Deferred.make<void>()
  const go = yield* Deferred.make<void>()
  const app = yield* TestApp.make(appWith(arrived, go))
  const text = Effect.map(app.get("/metrics"), (reply) => reply.text)
  return { app, arrived, go, text }
})

const requestSize = "http_server_request_body_size_bytes"
const responseSize = "http_server_response_body_size_bytes"

it.effect("the sizes of bodies are measured in bytes, by route and status", () =>
  Effect.gen(function* () {
    const { app, text } = yield* make
    const headers = { "content-type": "text/plain" }
    for (const body of ["abc", "ü"]) yield* app.post("/notes", { body, headers })
    const labels = {
      http_request_method: "POST",
      http_response_status_code: "200",
      http_route: "/notes"
    }
    const all = yield* text
    expect(valueOf(all, `${requestSize}_count`, labels)).toBe(2)
    expect(valueOf(all, `${requestSize}_sum`, labels)).toBe(5)
    expect(valueOf(all, `${responseSize}_sum`, labels)).toBe(9)
    expect(valueOf(all, `${responseSize}_bucket`, { ...labels, le: "100" })).toBe(2)
  })
)

it.effect("a request without a body has no request size, and a reply to HEAD has size 0", () =>
  Effect.gen(function* () {
    const { app, text } = yield* make
    const { text: page } = yield* app.get("/nowhere")
    yield* app.head("/nowhere")
    const all = yield* text
    expect(all).not.toContain(requestSize)
    expect(valueOf(all, `${responseSize}_sum`, { http_request_method: "GET" })).toBe(page.length)
    expect(valueOf(all, `${responseSize}_sum`, { http_request_method: "HEAD" })).toBe(0)
  })
)

it.effect("a stream has a size if it declares its length, and none otherwise", () =>
  Effect.gen(function* () {
    const { app, text } = yield* make
    for (const path of ["/endless", "/sized"]) yield* app.get(path)
    const all = yield* text
    expect(valueOf(all, `${responseSize}_sum`, { http_route: "/sized" })).toBe(10)
    expect(valueOf(all, `${responseSize}_sum`, { http_route: "/endless" })).toBeUndefined()
  })
)

it.effect("requests in flight are counted by route", () =>
  Effect.gen(function* () {
    const { app, arrived, go, text } = yield* make
    const active = Effect.map(text, (all) =>
      valueOf(all, "http_server_active_requests", {
        http_request_method: "GET",
        http_route: "/wait"
      })
    )
    expect(yield* active).toBe(0)
    const request = yield* Effect.forkChild(app.get("/wait"))
    yield* Deferred.await(arrived)
    expect(yield* active).toBe(1)
    yield* Deferred.succeed(go, undefined)
    yield* Fiber.join(request)
    expect(yield* active).toBe(0)
  })
)
