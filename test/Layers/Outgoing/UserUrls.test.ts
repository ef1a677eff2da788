/** Tests of calls to URLs that come from users, who are hostile. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { refusalOf } from "../../../src/Layers/Outgoing/index.ts"
import { mostOf } from "../../../src/Layers/Outgoing/Lookups.ts"
import { clients, limitOf, resolver, serve, until, type Upstream } from "./rig.ts"

const portOf = ({ url }: Upstream) => Number(new URL(url).port)

/** Settings of a test whose upstreams are on loopback: the guard lets them through. */
const local = (...upstreams: ReadonlyArray<Upstream>) => ({
  userUrls: { allowNetworks: ["127.0.0.1"], ports: upstreams.map(portOf) }
})

describe("a URL of a user", () => {
  const urls = [
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "data:text/plain,hello",
    "http://example.com:22/",
    "http://example.com:6379/",
    "https://user:secret@example.com/",
    "http://example.com@127.0.0.1/",
    "http://127.0.0.1/",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://0/",
    "http://[::1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[fd00:ec2::254]/",
    "http://[fe80::1]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://100.100.100.200/",
    "http://224.0.0.1/",
    "http://localhost/",
    "http://localhost./",
    "http://LOCALHOST/",
    "http://127。0。0。1/",
    "http://①②⑦.⓪.⓪.①/",
    "http://127.0.0.1%2f@example.com/",
    "//example.com/",
    "/path",
    "not a url",
    ""
  ]

  it.effect.each(urls)("%j is refused", (url) =>
    Effect.gen(function* () {
      const { userUrls } = yield* clients({})
      const error = yield* Effect.flip(userUrls.get(url))
      assert.strictEqual(refusalOf(error)?.limit, "url")
    })
  )

  it.effect.each(["127.0.0.1", "::1", "169.254.169.254", "8.8.8.8 127.0.0.1", "::ffff:10.0.0.1"])(
    "whose host has the addresses %s is refused",
    (text) =>
      Effect.gen(function* () {
        const { lookup } = resolver(text.split(" "))
        const { userUrls } = yield* clients({}, lookup)
        const error = yield* Effect.flip(userUrls.get("http://evil.example/"))
        assert.strictEqual(refusalOf(error)?.limit, "url")
        assert.notInclude(error.message, text.split(" ")[0]!)
      })
  )

  it.effect(
    "whose host changes its address to a private one is refused: each connection is checked",
    () =>
      Effect.gen(function* () {
        const upstream = yield* serve((_, response) => {
          response.setHeader("connection", "close").end("public")
        })
        // 127.0.0.1 stands for a public address, and 127.0.0.2 for a private one.
        const { asked, lookup } = resolver(["127.0.0.1"], ["127.0.0.2"])
        const { userUrls } = yield* clients(local(upstream), lookup)
        const get = userUrls.get(`http://evil.example:${portOf(upstream)}/`)
        assert.strictEqual(yield* (yield* get).text, "public")
        assert.strictEqual(yield* limitOf(get), "url")
        assert.deepStrictEqual(asked, ["evil.example", "evil.example"])
      })
  )

  it.effect("is refused alike if its host is unknown and if its host is private", () =>
    Effect.gen(function* () {
      const unknown = ((_host: string, _options: unknown, callback: (error: Error) => void) =>
        callback(Object.assign(new Error("unknown"), { code: "ENOTFOUND" }))) as never
      const one = yield* clients({}, unknown)
      const two = yield* clients({}, resolver(["10.0.0.1"]).lookup)
      const get = (all: typeof one) => Effect.flip(all.userUrls.get("http://intranet.example/"))
      assert.strictEqual((yield* get(one)).message, (yield* get(two)).message)
    })
  )
})

describe("the lookup of a name of a user", () => {
  /** Looks up nothing until it is told to. */
  const silent = () => {
    const asked: Array<string> = []
    const answers: Array<() => void> = []
    const lookup = (host: string, _options: unknown, callback: (error: Error) => void) => {
      asked.push(host)
      answers.push(() => callback(Object.assign(new Error("unknown"), { code: "ENOTFOUND" })))
    }
    // It has the one form of `lookup` that the transport calls.
    return { answers, asked, lookup: lookup as never }
  }

  it.live("waits for its turn, so that a thread is left for the other lookups of the process", () =>
    Effect.gen(function* () {
      const { answers, asked, lookup } = silent()
      const { client, userUrls } = yield* clients({ retries: 0 }, lookup)
      const first = yield* Effect.forkChild(limitOf(userUrls.get("http://a.example/")))
      yield* until(() => asked.length === 1)
      const second = yield* Effect.forkChild(limitOf(userUrls.get("http://b.example/")))
      // A lookup of the app itself does not wait.
      const own = yield* Effect.forkChild(Effect.exit(client.get("http://app.example/")))
      yield* until(() => asked.length === 2)
      assert.deepStrictEqual(asked, ["a.example", "app.example"])
      answers[0]!()
      assert.strictEqual(yield* Fiber.join(first), "url")
      yield* until(() => asked.length === 3)
      assert.strictEqual(asked[2], "b.example")
      for (const answer of answers.slice(1)) answer()
      assert.strictEqual(yield* Fiber.join(second), "url")
      yield* Fiber.join(own)
    })
  )

  it.live("without an answer keeps its place when its call has ended, and others are refused", () =>
    Effect.gen(function* () {
      const { answers, asked, lookup } = silent()
      const { userUrls } = yield* clients({ connectTimeout: "50 millis" }, lookup)
      assert.isUndefined(yield* limitOf(userUrls.get("http://a.example/")))
      const error = yield* Effect.flip(userUrls.get("http://b.example/"))
      assert.strictEqual(refusalOf(error)?.limit, "bulkhead")
      assert.include(error.message, "was not looked up within 50ms (outgoing.connectTimeout)")
      assert.notInclude(error.message, "a.example")
      answers[0]!()
      const next = yield* Effect.forkChild(limitOf(userUrls.get("http://c.example/")))
      yield* until(() => asked.length === 2)
      assert.deepStrictEqual(asked, ["a.example", "c.example"])
      answers[1]!()
      yield* Fiber.join(next)
    })
  )

  it("is one at a time with four threads, and leaves one of more threads free", () => {
    const threads = [undefined, "4", "1", "0", "none", "8", "16"]
    assert.deepStrictEqual(threads.map(mostOf), [1, 1, 1, 1, 1, 3, 7])
  })
})

describe("redirects of a URL of a user", () => {
  it.effect.each([
    "http://169.254.169.254/",
    "http://127.0.0.2/",
    "file:///etc/passwd",
    "//127.0.0.2/",
    "http://user:secret@127.0.0.1/"
  ])("to %j are refused", (location) =>
    Effect.gen(function* () {
      const upstream = yield* serve((_, response) => response.writeHead(302, { location }).end())
      const settings = local(upstream)
      settings.userUrls.ports.push(80)
      const { userUrls } = yield* clients(settings)
      assert.strictEqual(yield* limitOf(userUrls.get(upstream.url)), "url")
    })
  )

  it.effect("in a loop end after maxRedirects", () =>
    Effect.gen(function* () {
      const upstream = yield* serve((_, response) =>
        response.writeHead(302, { location: "/again" }).end("x".repeat(100_000))
      )
      const { userUrls } = yield* clients(local(upstream))
      assert.strictEqual(yield* limitOf(userUrls.get(upstream.url)), "url")
      assert.strictEqual(upstream.requests.length, 4)
      yield* until(() => upstream.connections.size <= 1)
    })
  )

  it.effect(
    "to another origin lose credentials, cookies and keys; those to the same keep them",
    () =>
      Effect.gen(function* () {
        const other = yield* serve((_, response) => response.end("there"))
        const upstream = yield* serve((request, response) => {
          const location = request.url === "/" ? "/same" : `${other.url}/there`
          response.writeHead(302, { location, "set-cookie": "a=b" }).end()
        })
        const { userUrls } = yield* clients(local(upstream, other))
        const response = yield* userUrls.get(upstream.url, {
          headers: {
            accept: "text/html",
            authorization: "Bearer secret",
            cookie: "session=secret",
            "x-api-key": "secret"
          }
        })
        assert.strictEqual(yield* response.text, "there")
        assert.strictEqual(upstream.requests[1]!.headers.authorization, "Bearer secret")
        const { accept, authorization, cookie, ...rest } = other.requests[0]!.headers
        assert.strictEqual(accept, "text/html")
        assert.isUndefined(authorization)
        assert.isUndefined(cookie)
        assert.isUndefined(rest["x-api-key"])
      })
  )

  it.effect("of a POST are not followed", () =>
    Effect.gen(function* () {
      const upstream = yield* serve((request, response) => {
        request.resume()
        response.writeHead(307, { location: "/again" }).end()
      })
      const { userUrls } = yield* clients(local(upstream))
      const { status } = yield* userUrls.execute(
        HttpClientRequest.bodyText(HttpClientRequest.post(upstream.url), "secret")
      )
      assert.strictEqual(status, 307)
      assert.strictEqual(upstream.requests.length, 1)
    })
  )
})

describe("the response to a URL of a user", () => {
  it.live("counts as running until its body has ended", () =>
    Effect.gen(function* () {
      const upstream = yield* serve((request, response) => {
        if (request.method === "HEAD") return response.writeHead(200).end()
        if (request.url === "/empty") return response.writeHead(204).end()
        response.writeHead(200, { "content-length": "2" }).write("x")
      })
      const { metric, userUrls } = yield* clients({
        userUrls: { ...local(upstream).userUrls, maxConcurrent: 1 }
      })
      // One without a body ends with its head, also if nobody reads it.
      yield* userUrls.head(upstream.url)
      yield* userUrls.get(`${upstream.url}/empty`)
      const { stream } = yield* userUrls.get(upstream.url)
      assert.strictEqual(yield* metric("flange.outgoing.running"), 1)
      const waiting = yield* Effect.forkChild(userUrls.get(`${upstream.url}/empty`), {
        startImmediately: true
      })
      assert.strictEqual(yield* limitOf(userUrls.get(upstream.url)), "bulkhead")
      yield* Stream.runDrain(Stream.take(stream, 1))
      assert.strictEqual((yield* Fiber.join(waiting)).status, 204)
      assert.strictEqual(yield* metric("flange.outgoing.running"), 0)
    })
  )

  it.effect("that nobody reads counts as running until the time of its call is over", () =>
    Effect.gen(function* () {
      const upstream = yield* serve((_, response) => response.writeHead(200).write("x"))
      const { metric, userUrls } = yield* clients(local(upstream))
      yield* userUrls.get(upstream.url)
      assert.strictEqual(yield* metric("flange.outgoing.running"), 1)
      yield* TestClock.adjust("10 seconds")
      yield* until(() => upstream.connections.size === 0)
      assert.strictEqual(yield* metric("flange.outgoing.running"), 0)
    })
  )

  it.effect("has a longest body, also as a stream", () =>
    Effect.gen(function* () {
      const upstream = yield* serve((_, response) => {
        const write = () => {
          while (!response.destroyed && response.write(Buffer.alloc(65_536))) {}
        }
        response.on("drain", write)
        write()
      })
      const { userUrls } = yield* clients(local(upstream))
      const streamed = yield* userUrls.get(upstream.url)
      assert.strictEqual(yield* limitOf(Stream.runDrain(streamed.stream)), "size")
      const whole = yield* userUrls.get(upstream.url)
      assert.strictEqual(yield* limitOf(whole.text), "size")
      yield* until(() => upstream.connections.size === 0)
    })
  )

  it.effect("has a longest time, also as a stream that never stalls", () =>
    Effect.gen(function* () {
      const upstream = yield* serve((_, response) => {
        const timer = setInterval(() => response.write("x"), 5)
        response.on("close", () => clearInterval(timer))
      })
      const { userUrls } = yield* clients(local(upstream))
      const response = yield* userUrls.get(upstream.url)
      const drain = Stream.runDrain(response.stream)
      const fiber = yield* Effect.forkChild(limitOf(drain), { startImmediately: true })
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* Fiber.join(fiber), "timeout")
      yield* until(() => upstream.connections.size === 0)
    })
  )

  it.effect("is not asked for again, and gets no trace", () =>
    Effect.gen(function* () {
      const upstream = yield* serve((_, response) => response.writeHead(503).end())
      const { userUrls } = yield* clients(local(upstream))
      const response = yield* Effect.withSpan(userUrls.get(upstream.url), "handler")
      assert.strictEqual(response.status, 503)
      assert.strictEqual(upstream.requests.length, 1)
      assert.isUndefined(upstream.requests[0]!.headers.traceparent)
    })
  )
})
