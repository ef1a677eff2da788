/** Tests of named upstreams: their settings, what they get of the incoming request, and the configuration. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as TestClock from "effect/testing/TestClock"
import * as Tracer from "effect/Tracer"
import { refusalOf } from "../../../src/Layers/Outgoing/index.ts"
import * as Deadline from "../../../src/Plugin/Deadline.ts"
import { RequestId } from "../../../src/Server/Exchange/RequestId.ts"
import { clients, limitOf, load, serve, until } from "./rig.ts"

/** Runs a call as in a request with an id, a trace and a deadline. */
const inRequest = <A, E, R>(call: Effect.Effect<A, E, R>, deadline: number | undefined) =>
  call.pipe(
    Effect.withSpan("handler"),
    Effect.provideService(RequestId, "demo"),
    Effect.provideService(Deadline.Deadline, deadline)
  )

describe("a named upstream", () => {
  it.live("has settings of its own, and those of the section for the others", () =>
    Effect.gen(function* () {
      const upstream = yield* serve((_, response) => response.writeHead(503).end())
      const { client, named } = yield* clients({
        retries: 1,
        retryDelay: "1 millis",
        upstreams: {
          patient: { retries: 3, url: `${upstream.url}/patient` },
          plain: { url: `${upstream.url}/` }
        }
      })
      const count = (call: Effect.Effect<unknown, unknown>) =>
        Effect.gen(function* () {
          const before = upstream.requests.length
          yield* call
          return upstream.requests.length - before
        })
      assert.strictEqual(yield* count((yield* named("patient")).get("/a")), 4)
      assert.strictEqual(yield* count((yield* named("plain")).get("/a")), 2)
      // `HttpClient` finds the upstream by the URL.
      assert.strictEqual(yield* count(client.get(`${upstream.url}/patient/a`)), 4)
      assert.strictEqual(yield* count(client.get(`${upstream.url}/patients`)), 2)
      assert.include(
        upstream.requests.map(({ url }) => url),
        "/patient/a"
      )
    })
  )

  it.live.each([
    "@evil.example/",
    "/../admin",
    "/%2e%2e/admin",
    "/..%2fadmin/../../x",
    "\\..\\..\\admin",
    "/v1/../../admin"
  ])("refuses the path %j, which leads out of it", (path) =>
    Effect.gen(function* () {
      const upstream = yield* serve((_, response) => response.end())
      const { named } = yield* clients({ upstreams: { rates: { url: `${upstream.url}/v1` } } })
      const client = yield* named("rates")
      const result = yield* Effect.result(client.get(path))
      // What is sent in the end is below its path.
      if (result._tag === "Failure") assert.strictEqual(refusalOf(result.failure)?.limit, "url")
      for (const { url } of upstream.requests) assert.match(url!, /^\/v1\/(?!.*(?:\.\.|%2e%2e)\/)/i)
    })
  )

  it.live("is redirected to paths and whole URLs below it with followRedirects", () =>
    Effect.gen(function* () {
      const upstream = yield* serve((request, response, count) => {
        const locations = ["/v1/a", "b", `http://${request.headers.host}/v1/c?d=%2F`]
        const location = locations[count - 1]
        if (location === undefined) response.end("ok")
        else response.writeHead(302, { location }).end()
      })
      const { named } = yield* clients({ upstreams: { rates: { url: `${upstream.url}/v1` } } })
      const client = HttpClient.followRedirects(yield* named("rates"))
      assert.strictEqual(yield* (yield* client.get("/old")).text, "ok")
      assert.deepStrictEqual(
        upstream.requests.map(({ url }) => url),
        ["/v1/old", "/v1/a", "/v1/b", "/v1/c?d=%2F"]
      )
    })
  )

  it.live("refuses whole URLs out of it, also those of redirects", () =>
    Effect.gen(function* () {
      const other = yield* serve((_, response) => response.end())
      const upstream = yield* serve((request, response) =>
        response
          .writeHead(302, {
            location: new URLSearchParams(request.url!.split("?")[1]).get("to")!
          })
          .end()
      )
      const { named } = yield* clients({ upstreams: { rates: { url: `${upstream.url}/v1` } } })
      const client = yield* named("rates")
      const redirected = HttpClient.followRedirects(client)
      const { host } = new URL(upstream.url)
      for (const url of [
        `${other.url}/v1/a`,
        `HTTP://${new URL(other.url).host}/v1/a`,
        `${upstream.url}/admin`,
        `${upstream.url}/v1/../admin`,
        `${upstream.url}/v10`,
        `https://${host}/v1/a`,
        `http://user@${host}/v1/a`,
        `http://:secret@${host}/v1/a`,
        `http://${host}@${new URL(other.url).host}/v1/a`
      ]) {
        const to = new URLSearchParams({ to: url }).toString()
        for (const get of [client.get(url), redirected.get(`/old?${to}`)]) {
          const error = yield* Effect.flip(get)
          assert.strictEqual(refusalOf(error)?.limit, "url", url)
          assert.include(error.message, "the URL is not below that of the upstream")
        }
      }
      for (const { url } of upstream.requests) assert.match(url!, /^\/v1\/old/)
      assert.strictEqual(other.requests.length, 0)
    })
  )

  it.live("with an unknown name fails with the nearest one", () =>
    Effect.gen(function* () {
      const { named } = yield* clients({ upstreams: { rates: { url: "http://127.0.0.1" } } })
      const error = yield* Effect.flip(named("rate"))
      assert.strictEqual(
        String(error),
        'UnknownUpstream: The configuration has no upstream "rate". Did you mean "rates"? Set outgoing.upstreams.rate.url.'
      )
    })
  )

  it.live("without any in the configuration says which key to set", () =>
    Effect.gen(function* () {
      const { named } = yield* clients({ upstreams: {} })
      const error = yield* Effect.flip(named("rates"))
      assert.strictEqual(
        String(error),
        'UnknownUpstream: The configuration has no upstream "rates". Set outgoing.upstreams.rates.url.'
      )
    })
  )
})

describe("the incoming request", () => {
  it.effect(
    "is passed on to an internal upstream: trace, request id and the time that is left",
    () =>
      Effect.gen(function* () {
        const upstream = yield* serve((_, response) => response.end())
        const { named } = yield* clients({
          upstreams: { stock: { internal: true, url: upstream.url } }
        })
        const client = yield* named("stock")
        yield* inRequest(client.get("/"), 5000)
        yield* inRequest(client.get("/"), undefined)
        const [limited, free] = upstream.requests.map(({ headers }) => headers)
        assert.strictEqual(limited!["x-request-id"], "demo")
        assert.match(String(limited!.traceparent), /^00-/)
        assert.strictEqual(limited!["x-request-timeout"], "5000")
        // The time of the call itself, 20 minutes.
        assert.strictEqual(free!["x-request-timeout"], "1200000")
      })
  )

  it.live("is not passed on to other upstreams", () =>
    Effect.gen(function* () {
      const upstream = yield* serve((_, response) => response.end())
      const { client, named } = yield* clients({ upstreams: { rates: { url: upstream.url } } })
      const other = yield* serve((_, response) => response.end())
      yield* inRequest((yield* named("rates")).get("/"), Number.MAX_SAFE_INTEGER)
      yield* inRequest(client.get(other.url), Number.MAX_SAFE_INTEGER)
      for (const { headers } of [...upstream.requests, ...other.requests]) {
        assert.notProperty(headers, "traceparent")
        assert.notProperty(headers, "x-request-id")
        assert.notProperty(headers, "x-request-timeout")
      }
    })
  )

  it.effect("ends its calls with its deadline, which says nothing about the upstream", () =>
    Effect.gen(function* () {
      const upstream = yield* serve((request, response) => {
        if (request.url === "/ok") response.end()
      })
      const { client } = yield* clients({ breakerCalls: 2 })
      for (let count = 1; count <= 4; count++) {
        const call = limitOf(inRequest(client.get(upstream.url), count * 1000))
        const fiber = yield* Effect.forkChild(call)
        yield* until(() => upstream.requests.length === count)
        yield* TestClock.setTime(count * 1000)
        assert.strictEqual(yield* Fiber.join(fiber), "deadline")
      }
      assert.strictEqual(yield* limitOf(inRequest(client.get(upstream.url), 1000)), "deadline")
      assert.strictEqual(upstream.requests.length, 4)
      // The circuit is closed.
      assert.strictEqual((yield* client.get(`${upstream.url}/ok`)).status, 200)
      yield* until(() => upstream.connections.size <= 1)
    })
  )

  it.live("each attempt is a client span of its own, the further ones with their number", () =>
    Effect.gen(function* () {
      const spans: Array<Tracer.Span> = []
      const tracer = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          spans.push(span)
          return span
        }
      })
      const upstream = yield* serve((_, response, count) =>
        response.writeHead(count === 1 ? 503 : 200).end()
      )
      const { client } = yield* clients({ retryDelay: "1 millis" })
      yield* Effect.provideService(client.get(upstream.url), Tracer.Tracer, tracer)
      assert.deepStrictEqual(
        spans.map(({ attributes, kind }) => [
          kind,
          attributes.get("http.response.status_code"),
          attributes.get("http.request.resend_count")
        ]),
        [
          ["client", 503, undefined],
          ["client", 200, 1]
        ]
      )
    })
  )
})

describe("the section outgoing", () => {
  const problems = (values: object) =>
    Effect.map(Effect.flip(load(values)), (error) => {
      if (error._tag !== "ConfigError") throw error
      return error.message
    })

  it.effect.each([
    [{ upstreams: { a: { url: "ftp://x" } } }, "outgoing.upstreams.a.url"],
    [{ upstreams: { a: { url: "https://user:secret@x" } } }, "without password"],
    [{ upstreams: { "a b": { url: "https://x" } } }, "a name of up to 64 letters"],
    [{ upstreams: { a: {} } }, "outgoing.upstreams.a.url"],
    [
      { upstreams: { a: { url: "https://x" }, b: { url: "https://x/" } } },
      "the upstream a has it too"
    ],
    [{ timeout: "0 seconds" }, "from 1 ms to 24 days"],
    [{ timeout: "Infinity" }, "from 1 ms to 24 days"],
    [{ retryBudget: 2 }, "a number from 0 to 1"],
    [{ breakerRatio: 0 }, "above 0"],
    [{ userUrls: { ports: [0] } }, "outgoing.userUrls.ports"],
    [{ userUrls: { allowNetworks: ["lan"] } }, "a network such as"]
  ] as const)("refuses %j", ([values, words]) =>
    Effect.gen(function* () {
      const message = yield* problems(values)
      assert.include(message, words)
      assert.notInclude(message, "secret")
    })
  )
})
