/** Tests of outgoing calls in an app: replies to failed calls, disconnects, drains and metrics. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpClient from "effect/http/HttpClient"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { App, Plugin, Route } from "../../../src/index.ts"
import * as Metrics from "../../../src/Layers/Metrics/index.ts"
import * as Outgoing from "../../../src/Layers/Outgoing/index.ts"
import { TestHttpClient } from "../../../src/Layers/Outgoing/Testing.ts"
import { TestApp } from "../../../src/Testing/index.ts"
import { serve, serveTcp, until } from "./rig.ts"

class FetchApi extends HttpApiGroup.make("fetch").add(
  HttpApiEndpoint.get("preview", "/preview", {
    query: { url: Schema.String },
    success: Schema.String
  }),
  HttpApiEndpoint.get("read", "/read", {
    query: { url: Schema.String },
    success: Schema.String
  })
) {}

const Fetch = Plugin.make("app:fetch", {
  requires: [Outgoing.Clients, HttpClient.HttpClient],
  routes: [
    Route.public(
      FetchApi,
      Effect.fnUntraced(function* (handlers) {
        const client = yield* HttpClient.HttpClient
        const users = yield* Outgoing.forUserUrls
        const text = (client: HttpClient.HttpClient, url: string) =>
          Effect.orDie(Effect.flatMap(client.get(url), ({ text }) => text))
        return handlers.handleAll({
          preview: ({ query }) => text(users, query.url),
          read: ({ query }) => text(client, query.url)
        })
      })
    )
  ]
})

const app = App.make("fetch", [Metrics.plugin, Outgoing.plugin, Fetch])

const boot = (outgoing: object = {}) => TestApp.make(app, { config: { outgoing } })

const at = (path: string, url: string) => `${path}?url=${encodeURIComponent(url)}`

describe("a handler that dies with the failure of a call", () => {
  it.live("is answered with 502 if the connection fails, and the client learns nothing of it", () =>
    Effect.gen(function* () {
      const upstream = yield* serveTcp((socket) => socket.destroy())
      const test = yield* boot({ retries: 0 })
      const reply = yield* test.get(at("/read", upstream.url))
      reply.expectProblem("BAD_GATEWAY", 502)
      assert.notInclude(reply.text, upstream.url.slice("http://".length))
      assert.isTrue(test.logs.some(({ level }) => level === "Error"))
    })
  )

  it.live("is answered with 502 if the body is too long", () =>
    Effect.gen(function* () {
      const upstream = yield* serve((_, response) => response.end("x".repeat(10)))
      const test = yield* boot({ maxResponse: 5 })
      const reply = yield* test.get(at("/read", upstream.url))
      reply.expectProblem("BAD_GATEWAY", 502)
    })
  )

  it.live("is answered with 503 and Retry-After if the circuit is open", () =>
    Effect.gen(function* () {
      const upstream = yield* serve((_, response) => response.writeHead(503).end())
      const test = yield* boot({ breakerCalls: 1, breakerOpen: "1 minute", retries: 0 })
      yield* test.get(at("/read", upstream.url))
      const reply = yield* test.get(at("/read", upstream.url))
      reply.expectProblem("SERVICE_UNAVAILABLE", 503)
      assert.match(reply.headers.get("retry-after")!, /^(?:[1-5]\d|60)$/)
    })
  )

  it.live("is answered with 503 if the bulkhead is full", () =>
    Effect.gen(function* () {
      const upstream = yield* serve(() => {})
      const test = yield* boot({ maxConcurrent: 1, maxWaiting: 0 })
      yield* Effect.forkChild(test.get(at("/read", upstream.url)))
      yield* until(() => upstream.requests.length === 1)
      const reply = yield* test.get(at("/read", upstream.url))
      reply.expectProblem("SERVICE_UNAVAILABLE", 503)
      assert.strictEqual(reply.headers.get("retry-after"), "1")
    })
  )

  it.live("is answered with 504 if the upstream is late", () =>
    Effect.gen(function* () {
      const upstream = yield* serve(() => {})
      const test = yield* boot({ timeout: "50 millis" })
      const reply = yield* test.get(at("/read", upstream.url))
      reply.expectProblem("TIMEOUT", 504)
    })
  )

  it.live("is answered with 422 if the URL of a user is refused", () =>
    Effect.gen(function* () {
      const test = yield* boot()
      const reply = yield* test.get(at("/preview", "http://169.254.169.254/latest"))
      reply.expectProblem("URL_REFUSED", 422)
      assert.notInclude(reply.text.replace(reply.path, ""), "169.254")
    })
  )
})

describe("a call", () => {
  it.live("ends when the client of its request disconnects", () =>
    Effect.gen(function* () {
      const upstream = yield* serve(() => {})
      const test = yield* boot()
      const fiber = yield* Effect.forkChild(test.get(at("/read", upstream.url)))
      yield* until(() => upstream.requests.length === 1)
      yield* Fiber.interrupt(fiber)
      yield* until(() => upstream.connections.size === 0)
    })
  )

  it.live("in flight is waited for by the drain, and connections close with the app", () =>
    Effect.gen(function* () {
      let answer = () => {}
      const upstream = yield* serve((_, response) => {
        answer = () => response.end("late")
      })
      const scope = yield* Scope.make()
      const test = yield* Scope.provide(TestApp.listening(app), scope)
      const fiber = yield* Effect.forkChild(test.get(at("/read", upstream.url)))
      yield* until(() => upstream.requests.length === 1)
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
      yield* Effect.sleep("20 millis")
      answer()
      assert.strictEqual((yield* Fiber.join(fiber)).json, "late")
      yield* Fiber.join(closing)
      yield* until(() => upstream.connections.size === 0)
    })
  )

  it.live("is measured by upstream, method and status", () =>
    Effect.gen(function* () {
      const upstream = yield* serve((_, response) => response.writeHead(404).end())
      const test = yield* boot({ upstreams: { files: { url: upstream.url } } })
      yield* test.get(at("/read", upstream.url))
      const text = (yield* test.get("/metrics")).text
      assert.match(
        text,
        /^http_client_request_duration_seconds_count\{[^}]*error_type="404"[^}]*\} 1$/m
      )
      for (const label of [
        'flange_upstream="files"',
        'http_request_method="GET"',
        'http_response_status_code="404"'
      ]) {
        assert.include(text, label)
      }
      assert.include(text, 'flange_outgoing_breaker{flange_upstream="files"} 0')
    })
  )

  it.live("to many origins fills neither the memory nor the metrics", () =>
    Effect.gen(function* () {
      const replies = Array.from({ length: 1100 }, (_, i) => ({
        request: { method: "GET", url: `https://host${i}.example/` },
        response: { status: 200 }
      }))
      const double = TestHttpClient.make({ replies })
      const test = yield* TestApp.make(app, { replace: [[Outgoing.plugin, double.layer]] })
      yield* Effect.forEach(replies, ({ request }) => test.run(HttpClient.get(request.url)), {
        discard: true
      })
      assert.strictEqual(double.requests.length, 1100)
      const text = (yield* test.get("/metrics")).text
      const series = text.match(/^http_client_request_duration_seconds_count/gm)
      assert.strictEqual(series?.length, 1)
      assert.include(text, 'flange_outgoing_running{flange_upstream="other"} 0')
    })
  )
})
