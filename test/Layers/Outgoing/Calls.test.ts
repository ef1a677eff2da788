/** Tests of calls to servers that are slow, broken or hostile. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { refusalOf } from "../../../src/Layers/Outgoing/index.ts"
import { clients, limitOf, serve, serveApart, serveTcp, until } from "./rig.ts"

/** Settings under which nothing waits long. */
const quick = { retryDelay: "1 millis" }

describe("retries", () => {
  it.live("an idempotent request is sent again after 503 and after a reset connection", () =>
    Effect.gen(function* () {
      const upstream = yield* serve((request, response, count) => {
        if (count === 1) response.writeHead(503).end()
        else if (count === 2) request.socket.destroy()
        else response.end("ok")
      })
      const { client, metric } = yield* clients(quick)
      const response = yield* client.get(upstream.url)
      assert.strictEqual(yield* response.text, "ok")
      assert.strictEqual(upstream.requests.length, 3)
      assert.strictEqual(yield* metric("flange.outgoing.retries"), 2)
    })
  )

  it.live.each([
    ["POST", {}, "ok", 1],
    ["PATCH", {}, "ok", 1],
    ["POST", { "idempotency-key": "1" }, "ok", 2],
    ["PUT", {}, "ok", 2],
    ["DELETE", {}, "ok", 2],
    ["QUERY", {}, "ok", 2]
  ] as const)(
    "a %s with the headers %o is sent again only if it is idempotent",
    ([method, headers, body, times]) =>
      Effect.gen(function* () {
        const upstream = yield* serve((request, response, count) => {
          request.resume()
          response.writeHead(count === 1 ? 503 : 200).end()
        })
        const { client } = yield* clients(quick)
        const request = HttpClientRequest.bodyText(
          HttpClientRequest.setHeaders(HttpClientRequest.make(method)(upstream.url), headers),
          body
        )
        const { status } = yield* client.execute(request)
        assert.strictEqual(status, times === 1 ? 503 : 200)
        assert.strictEqual(upstream.requests.length, times)
      })
  )

  it.live("a streamed body is not sent again, because it may be gone", () =>
    Effect.gen(function* () {
      const upstream = yield* serve((request, response) => {
        request.resume()
        response.writeHead(503).end()
      })
      const { client } = yield* clients(quick)
      const body = Stream.make(new TextEncoder().encode("part"))
      const { status } = yield* client.execute(
        HttpClientRequest.bodyStream(HttpClientRequest.put(upstream.url), body)
      )
      assert.strictEqual(status, 503)
      assert.strictEqual(upstream.requests.length, 1)
    })
  )

  it.live("500 and 400 are answers, and are not sent again", () =>
    Effect.gen(function* () {
      const upstream = yield* serve((_, response, count) =>
        response.writeHead(count === 1 ? 500 : 400).end()
      )
      const { client } = yield* clients(quick)
      assert.strictEqual((yield* client.get(upstream.url)).status, 500)
      assert.strictEqual((yield* client.get(upstream.url)).status, 400)
    })
  )

  it.live("in a storm of 503, retries are bounded by the budget", () =>
    Effect.gen(function* () {
      const upstream = yield* serve((_, response) => response.writeHead(503).end())
      const { client } = yield* clients({ ...quick, breakerCalls: 10_000, retryBudget: 0.1 })
      yield* Effect.forEach(Array.from({ length: 200 }), () => client.get(upstream.url), {
        concurrency: 10
      })
      // 200 calls, a tenth of them, and the 10 that are free.
      assert.strictEqual(upstream.requests.length, 200 + 20 + 10)
    })
  )

  it.live("a Retry-After that is longer than the call is not waited for", () =>
    Effect.gen(function* () {
      const upstream = yield* serve((_, response) =>
        response.writeHead(503, { "retry-after": "86400" }).end("later")
      )
      const { client } = yield* clients(quick)
      const response = yield* client.get(upstream.url)
      assert.strictEqual(response.status, 503)
      assert.strictEqual(yield* response.text, "later")
      assert.strictEqual(upstream.requests.length, 1)
    })
  )
})

/** Sends a body without an end, in small parts. */
const drip: Parameters<typeof serve>[0] = (_, response) => {
  const timer = setInterval(() => response.write("x"), 5)
  response.on("close", () => clearInterval(timer))
}

/** Returns the clock of the test, on a machine whose clock was set by some milliseconds. */
const setBy = (step: () => number): Effect.Effect<Clock.Clock> =>
  Effect.clockWith((clock) => {
    const millis = () => clock.currentTimeMillisUnsafe() + step()
    return Effect.succeed({
      ...clock,
      currentTimeMillis: Effect.sync(millis),
      currentTimeMillisUnsafe: millis
    })
  })

/** Keeps the process busy. What arrives meanwhile is read after that, and after the timers that are due. */
const compute = (millis: number) =>
  Effect.promise(
    () =>
      new Promise<void>((resolve) => {
        setImmediate(() => {
          const end = performance.now() + millis
          while (performance.now() < end);
          resolve()
        })
      })
  )

describe("time", () => {
  it.live("a response that arrived in time counts, although the process was busy until later", () =>
    Effect.gen(function* () {
      const upstream = yield* serveApart(`(_, response) => {
        setTimeout(() => response.end("ok"), 100)
      }`)
      const { client, metric } = yield* clients({
        attemptTimeout: "5 seconds",
        hedgeAfter: "4 seconds",
        retries: 0
      })
      const call = Effect.flatMap(client.get(upstream.url), ({ text }) => text)
      const calling = yield* Effect.forkChild(call)
      yield* until(() => upstream.count === 1)
      yield* compute(5100)
      assert.strictEqual(yield* Fiber.join(calling), "ok")
      assert.strictEqual(yield* metric("flange.outgoing.hedges"), 0)
    })
  )

  it.live("the rest of a body that arrived in time counts too", () =>
    Effect.gen(function* () {
      const upstream = yield* serveApart(`(_, response) => {
        response.writeHead(200, { "content-length": "2" }).write("o")
        setTimeout(() => response.end("k"), 300)
      }`)
      const { client } = yield* clients({ attemptTimeout: "4 seconds", timeout: "4 seconds" })
      const get = client.get(upstream.url)
      const [whole, parts] = yield* Effect.all([get, get], { concurrency: 2 })
      const streamed = Stream.mkString(Stream.decodeText(parts.stream))
      const read = Effect.all([whole.text, streamed], { concurrency: 2 })
      const reading = yield* Effect.forkChild(read, { startImmediately: true })
      yield* compute(4100)
      assert.deepStrictEqual(yield* Fiber.join(reading), ["ok", "ok"])
    })
  )

  it.effect("of a call goes on evenly while the clock of the machine is set", () =>
    Effect.gen(function* () {
      let step = 0
      const upstream = yield* serve((request, response, count) => {
        step += 3_600_000
        if (count === 1) response.writeHead(503).end()
        else drip(request, response, count)
      })
      const { client } = yield* clients({ ...quick, timeout: "30 seconds" })
      const clock = yield* setBy(() => step)
      const call = Effect.gen(function* () {
        const response = yield* client.get(upstream.url)
        assert.strictEqual(response.status, 200)
        step = -3_600_000
        return yield* limitOf(response.text)
      })
      const fiber = yield* Effect.forkChild(Effect.provideService(call, Clock.Clock, clock))
      // The wait before the second attempt is over at some time.
      const isAnswered = () => step < 0
      while (!isAnswered()) {
        yield* TestClock.adjust("1 millis")
        yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 5)))
      }
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(yield* Fiber.join(fiber), "timeout")
    })
  )

  it.effect("an attempt without a response ends, and its connection is closed", () =>
    Effect.gen(function* () {
      const upstream = yield* serve(() => {})
      const { client } = yield* clients({ attemptTimeout: "5 seconds", retries: 1 })
      const fiber = yield* Effect.forkChild(Effect.flip(client.get(upstream.url)))
      yield* until(() => upstream.requests.length === 1)
      // The attempt, and the longest wait after it.
      yield* TestClock.adjust("5100 millis")
      yield* until(() => upstream.requests.length === 2)
      yield* TestClock.adjust("5 seconds")
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(refusalOf(error)?.limit, "timeout")
      assert.include(error.message, "had no response within 5s. Raise outgoing.attemptTimeout")
      yield* until(() => upstream.connections.size === 0)
    })
  )

  it.effect("a body that drips ends with the time of the call", () =>
    Effect.gen(function* () {
      const upstream = yield* serve(drip)
      const { client } = yield* clients({ timeout: "30 seconds" })
      const response = yield* client.get(upstream.url)
      const fiber = yield* Effect.forkChild(limitOf(response.text), { startImmediately: true })
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(yield* Fiber.join(fiber), "timeout")
      yield* until(() => upstream.connections.size === 0)
    })
  )

  it.effect("a streamed body may take longer than the call, but not stall", () =>
    Effect.gen(function* () {
      const upstream = yield* serve((_, response) => {
        response.writeHead(200)
        response.write("x")
      })
      const { client } = yield* clients({ attemptTimeout: "5 seconds", timeout: "1 second" })
      const response = yield* client.get(upstream.url)
      let read = 0
      const drain = Stream.runForEach(response.stream, () => Effect.sync(() => void read++))
      const fiber = yield* Effect.forkChild(limitOf(drain), { startImmediately: true })
      yield* until(() => read === 1)
      yield* TestClock.adjust("4999 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(fiber), "timeout")
      yield* until(() => upstream.connections.size === 0)
    })
  )

  it.effect("a body that nobody reads does not keep its connection", () =>
    Effect.gen(function* () {
      const upstream = yield* serve((_, response) => {
        response.writeHead(200)
        response.write("x".repeat(10_000_000))
      })
      const { client } = yield* clients({ timeout: "30 seconds" })
      const { status } = yield* client.get(upstream.url)
      assert.strictEqual(status, 200)
      assert.strictEqual(upstream.connections.size, 1)
      yield* TestClock.adjust("30 seconds")
      yield* until(() => upstream.connections.size === 0)
    })
  )

  it.live("interrupting a call closes its connection", () =>
    Effect.gen(function* () {
      const upstream = yield* serve(() => {})
      const { client, metric } = yield* clients({})
      const fiber = yield* Effect.forkChild(client.get(upstream.url))
      yield* until(() => upstream.requests.length === 1)
      yield* Fiber.interrupt(fiber)
      yield* until(() => upstream.connections.size === 0)
      assert.strictEqual(yield* metric("flange.outgoing.running"), 0)
    })
  )
})

describe("bodies", () => {
  it.live("every way to read a body gives the same, and the connection is used again", () =>
    Effect.gen(function* () {
      const upstream = yield* serve((request, response) => {
        const isChunked = request.url === "/chunked"
        const text = '{"a":1}'
        response.writeHead(200, {
          "content-type": "application/json",
          ...(isChunked ? {} : { "content-length": text.length })
        })
        response.end(text)
      })
      const { client } = yield* clients({})
      for (const path of Array.from({ length: 10 }, () => ["/chunked", "/sized"]).flat()) {
        const get = client.get(upstream.url + path)
        assert.deepStrictEqual(yield* (yield* get).json, { a: 1 })
        const response = yield* get
        assert.strictEqual(yield* response.text, '{"a":1}')
        assert.strictEqual((yield* response.arrayBuffer).byteLength, 7)
        const pieces = yield* Stream.runCollect((yield* get).stream)
        assert.strictEqual(Buffer.concat(pieces).toString(), '{"a":1}')
      }
      // A request may begin before the connection of the one before is free.
      assert.isAtMost(upstream.connections.size, 3)
    })
  )

  it.live.each(["sized", "chunked"])("a %s body that is too long is not kept in memory", (kind) =>
    Effect.gen(function* () {
      const upstream = yield* serve((_, response) => {
        if (kind === "sized") response.setHeader("content-length", 10 ** 9)
        const piece = Buffer.alloc(65_536)
        const write = () => {
          while (!response.destroyed && response.write(piece)) {}
        }
        response.on("drain", write)
        write()
      })
      const { client } = yield* clients({ maxResponse: "1 MiB" })
      const response = yield* client.get(upstream.url)
      assert.strictEqual(yield* limitOf(response.text), "size")
      yield* until(() => upstream.connections.size === 0)
    })
  )

  it.live("a connection that is reset inside the body is a failure", () =>
    Effect.gen(function* () {
      const upstream = yield* serveTcp((socket) => {
        socket.once("data", () => {
          socket.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc", () =>
            socket.resetAndDestroy()
          )
        })
      })
      const { client } = yield* clients({})
      const response = yield* client.get(upstream.url)
      const error = yield* Effect.flip(response.text)
      assert.strictEqual(error._tag, "HttpClientError")
      assert.isUndefined(refusalOf(error))
    })
  )

  it.live("a gzip bomb is not decompressed", () =>
    Effect.gen(function* () {
      const upstream = yield* serve((request, response) => {
        assert.isUndefined(request.headers["accept-encoding"])
        response.writeHead(200, { "content-encoding": "gzip" }).end(Buffer.from("1f8b0800", "hex"))
      })
      const { client } = yield* clients({})
      const response = yield* client.get(upstream.url)
      assert.strictEqual((yield* response.arrayBuffer).byteLength, 4)
    })
  )
})

describe("the bulkhead", () => {
  it.live("runs so many, lets so many wait, and refuses the others", () =>
    Effect.gen(function* () {
      const release: Array<() => void> = []
      const upstream = yield* serve((_, response) => void release.push(() => response.end("ok")))
      const { client, metric } = yield* clients({
        maxConcurrent: 2,
        maxWait: "20 seconds",
        maxWaiting: 1
      })
      const fibers = yield* Effect.forEach([1, 2, 3], () =>
        Effect.forkChild(client.get(upstream.url), { startImmediately: true })
      )
      yield* until(() => release.length === 2)
      assert.strictEqual(yield* metric("flange.outgoing.running"), 2)
      assert.strictEqual(yield* metric("flange.outgoing.waiting"), 1)
      const error = yield* Effect.flip(client.get(upstream.url))
      assert.strictEqual(refusalOf(error)?.limit, "bulkhead")
      release[0]!()
      yield* until(() => release.length === 3)
      for (const end of release) end()
      yield* Effect.forEach(fibers, Fiber.join)
      assert.strictEqual(yield* metric("flange.outgoing.running"), 0)
    })
  )

  it.live("a call that waits too long for its turn is refused, and an interrupted one leaves", () =>
    Effect.gen(function* () {
      const upstream = yield* serve(() => {})
      const { client, metric } = yield* clients({ maxConcurrent: 1, maxWait: "50 millis" })
      const running = yield* Effect.forkChild(client.get(upstream.url))
      yield* until(() => upstream.requests.length === 1)
      assert.strictEqual(yield* limitOf(client.get(upstream.url)), "bulkhead")
      const waiting = yield* Effect.forkChild(client.get(upstream.url), { startImmediately: true })
      yield* Fiber.interrupt(waiting)
      assert.strictEqual(yield* metric("flange.outgoing.waiting"), 0)
      yield* Fiber.interrupt(running)
      assert.strictEqual(yield* metric("flange.outgoing.running"), 0)
    })
  )
})

describe("the circuit breaker", () => {
  const breaking = {
    ...quick,
    breakerCalls: 4,
    retries: 0
  }

  it.effect(
    "opens after failures, refuses with the time to wait, and closes after a good call",
    () =>
      Effect.gen(function* () {
        let isUp = false
        const upstream = yield* serve((_, response) => response.writeHead(isUp ? 200 : 503).end())
        const { client, metric } = yield* clients(breaking)
        yield* Effect.forEach([1, 2, 3, 4], () => client.get(upstream.url))
        const error = yield* Effect.flip(client.get(upstream.url))
        assert.strictEqual(refusalOf(error)?.limit, "breaker")
        assert.isDefined(refusalOf(error)?.retryAfter)
        assert.strictEqual(upstream.requests.length, 4)
        assert.strictEqual(yield* metric("flange.outgoing.breaker"), 2)
        isUp = true
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual((yield* client.get(upstream.url)).status, 200)
        assert.strictEqual(yield* metric("flange.outgoing.breaker"), 0)
      })
  )

  it.effect("closes in its time after the clock of the machine was set back", () =>
    Effect.gen(function* () {
      let isUp = false
      const upstream = yield* serve((_, response) => response.writeHead(isUp ? 200 : 503).end())
      const { client } = yield* clients(breaking)
      yield* Effect.forEach([1, 2, 3, 4], () => client.get(upstream.url))
      assert.strictEqual(yield* limitOf(client.get(upstream.url)), "breaker")
      isUp = true
      yield* TestClock.adjust("10 seconds")
      const back = yield* setBy(() => -3_600_000)
      const call = Effect.provideService(client.get(upstream.url), Clock.Clock, back)
      assert.strictEqual((yield* call).status, 200)
    })
  )

  it.live("of one origin says nothing about another", () =>
    Effect.gen(function* () {
      const bad = yield* serve((_, response) => response.writeHead(503).end())
      const good = yield* serve((_, response) => response.end())
      const { client } = yield* clients(breaking)
      yield* Effect.forEach([1, 2, 3, 4], () => client.get(bad.url))
      assert.strictEqual(yield* limitOf(client.get(bad.url)), "breaker")
      assert.strictEqual((yield* client.get(good.url)).status, 200)
    })
  )

  it.live("is not opened by 500, by 429, and by callers who go away", () =>
    Effect.gen(function* () {
      const upstream = yield* serve((request, response) => {
        if (request.url !== "/slow") response.writeHead(request.url === "/500" ? 500 : 429).end()
      })
      const { client } = yield* clients(breaking)
      for (const path of ["/500", "/429"]) {
        yield* Effect.forEach([1, 2, 3, 4, 5], () => client.get(upstream.url + path))
      }
      for (let count = 11; count <= 15; count++) {
        const fiber = yield* Effect.forkChild(client.get(`${upstream.url}/slow`))
        yield* until(() => upstream.requests.length === count)
        yield* Fiber.interrupt(fiber)
      }
      assert.strictEqual((yield* client.get(`${upstream.url}/500`)).status, 500)
    })
  )
})

describe("hedging", () => {
  it.live(
    "a slow GET is sent a second time, the fast response wins, and the slow one is ended",
    () =>
      Effect.gen(function* () {
        const upstream = yield* serve((_, response, count) => {
          if (count > 1) response.end("second")
        })
        const { client, metric } = yield* clients({ hedgeAfter: "20 millis" })
        const response = yield* client.get(upstream.url)
        assert.strictEqual(yield* response.text, "second")
        assert.strictEqual(yield* metric("flange.outgoing.hedges"), 1)
        assert.strictEqual(yield* metric("flange.outgoing.running"), 0)
        yield* until(() => upstream.connections.size === 1)
      })
  )

  it.live("a POST is not sent a second time", () =>
    Effect.gen(function* () {
      const upstream = yield* serve((_, response) => setTimeout(() => response.end("ok"), 100))
      const { client } = yield* clients({ hedgeAfter: "1 millis" })
      yield* client.post(upstream.url)
      assert.strictEqual(upstream.requests.length, 1)
    })
  )
})
