/** Tests of the double of upstreams, and of time with it. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as TestClock from "effect/testing/TestClock"
import { Clients, refusalOf } from "../../../src/Layers/Outgoing/index.ts"
import { TestHttpClient } from "../../../src/Layers/Outgoing/Testing.ts"
import { load, serve } from "./rig.ts"

const url = "https://rates.example.com"

const get = (path: string) => ({ method: "GET", url: url + path })

/** Creates the clients of a double. */
const built = (double: TestHttpClient.TestHttpClient, values: object = {}) =>
  Effect.gen(function* () {
    const { context } = yield* load(values)
    const all = yield* Effect.provide(Layer.build(double.layer), context)
    return {
      client: Context.get(all, HttpClient.HttpClient),
      userUrls: Context.get(all, Clients).forUserUrls
    }
  })

describe("replies", () => {
  it.effect("match by method, URL and body, in any order of the query and of JSON", () =>
    Effect.gen(function* () {
      const double = TestHttpClient.make({
        replies: [
          { request: get("/a?x=1&y=2"), response: { body: "query" } },
          {
            request: { body: '{"a":1,"b":{"c":2,"d":3}}', method: "POST", url: `${url}/a` },
            response: { json: { isJson: true }, status: 201 }
          }
        ]
      })
      const { client } = yield* built(double)
      assert.strictEqual(yield* (yield* client.get(`${url}/a?y=2&x=1`)).text, "query")
      const response = yield* client.execute(
        HttpClientRequest.bodyText(
          HttpClientRequest.post(`${url}/a`),
          '{"b":{"d":3,"c":2},"a":1}',
          "application/json"
        )
      )
      assert.strictEqual(response.status, 201)
      assert.strictEqual(response.headers["content-type"], "application/json")
      assert.deepStrictEqual(yield* response.json, { isJson: true })
      assert.deepStrictEqual(
        double.requests.map(({ method }) => method),
        ["GET", "POST"]
      )
    })
  )

  it.effect("to the same request come in their order, and the last one again", () =>
    Effect.gen(function* () {
      const replies = ["one", "two"].map((body) => ({ request: get("/"), response: { body } }))
      const { client } = yield* built(TestHttpClient.make({ replies }))
      const texts = yield* Effect.forEach([1, 2, 3], () =>
        Effect.flatMap(client.get(url), ({ text }) => text)
      )
      assert.deepStrictEqual(texts, ["one", "two", "two"])
    })
  )

  it.effect("a request without a reply is a defect that lists the nearest ones", () =>
    Effect.gen(function* () {
      const double = TestHttpClient.make({
        replies: ["/rates/EUR", "/rates/USD", "/other", "/far/away"].map((path) => ({
          request: get(path),
          response: {}
        }))
      })
      const { client } = yield* built(double)
      const exit = yield* Effect.exit(client.get(`${url}/rates/EURO?token=hunter2`))
      assert.strictEqual(exit._tag, "Failure")
      if (exit._tag !== "Failure") return
      const defect = Cause.squash(exit.cause)
      assert.instanceOf(defect, TestHttpClient.UnmatchedRequest)
      const lines = String(defect.message).split("\n")
      assert.strictEqual(
        lines[0],
        `The test has no reply to GET ${url}/rates/EURO?token=%3Credacted%3E.`
      )
      assert.strictEqual(lines[2], `  - GET ${url}/rates/EUR`)
      assert.strictEqual(lines[3], `  - GET ${url}/rates/USD`)
      assert.strictEqual(lines.length, 6)
    })
  )

  it.effect("URLs of users are checked before they are answered", () =>
    Effect.gen(function* () {
      const double = TestHttpClient.make({
        replies: [{ request: get("/"), response: { body: "ok" } }]
      })
      const { userUrls } = yield* built(double)
      assert.strictEqual(yield* (yield* userUrls.get(url)).text, "ok")
      const error = yield* Effect.flip(userUrls.get("http://127.0.0.1/"))
      assert.strictEqual(refusalOf(error)?.limit, "url")
    })
  )
})

describe("bodies", () => {
  it.effect("that are not text are matched by their bytes", () =>
    Effect.gen(function* () {
      const request = { method: "POST", url: `${url}/images` }
      const double = TestHttpClient.make({
        replies: [
          { request: { ...request, bodyBase64: "//4=" }, response: { status: 201 } },
          { request: { ...request, bodyBase64: "//0=" }, response: { status: 202 } }
        ]
      })
      const { client } = yield* built(double)
      const send = (...bytes: ReadonlyArray<number>) =>
        client.execute(
          HttpClientRequest.bodyUint8Array(
            HttpClientRequest.post(request.url),
            Uint8Array.from(bytes)
          )
        )
      assert.strictEqual((yield* send(0xff, 0xfd)).status, 202)
      assert.strictEqual((yield* send(0xff, 0xfe)).status, 201)
      const exit = yield* Effect.exit(send(0xff, 0xfc))
      assert.isTrue(Exit.isFailure(exit))
      if (Exit.isFailure(exit)) {
        assert.include(String(Cause.squash(exit.cause)), "with the body in base64 //w=")
      }
    })
  )
})

describe("cassettes", () => {
  it.live("are recorded without secrets, and answer the same requests", () =>
    Effect.gen(function* () {
      const folder = mkdtempSync(join(tmpdir(), "flange-cassette-"))
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => rmSync(folder, { force: true, recursive: true }))
      )
      const cassette = join(folder, "new", "rates.json")
      const upstream = yield* serve((request, response) => {
        request.resume()
        if (request.url === "/binary") response.end(Buffer.from([0xff, 0xfe, 0x00]))
        else {
          response.setHeader("set-cookie", "session=hunter2")
          response.end('{"accessToken":"hunter2","rate":1.1}')
        }
      })
      const call = (client: HttpClient.HttpClient) =>
        Effect.gen(function* () {
          const post = HttpClientRequest.post(`${upstream.url}/token?api_key=hunter2&a=1&a=2`).pipe(
            HttpClientRequest.bearerToken("hunter2"),
            HttpClientRequest.bodyJsonUnsafe({ password: "hunter2", pin: "1234", user: "ada" })
          )
          const { json, status } = yield* client.execute(post)
          const binary = yield* client.get(`${upstream.url}/binary`)
          return [status, yield* json, [...new Uint8Array(yield* binary.arrayBuffer)]] as const
        })
      const options = { cassette, redact: ["pin"] }
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { client } = yield* built(TestHttpClient.make({ ...options, record: true }))
          const [, body] = yield* call(client)
          assert.deepStrictEqual(body, { accessToken: "hunter2", rate: 1.1 })
        })
      )
      const text = readFileSync(cassette, "utf8")
      assert.notInclude(text, "hunter2")
      assert.notInclude(text, "1234")
      assert.include(text, "a=1&a=2")
      assert.strictEqual(upstream.requests.length, 2)

      const { client } = yield* built(TestHttpClient.make(options))
      assert.deepStrictEqual(yield* call(client), [
        200,
        { accessToken: "<redacted>", rate: 1.1 },
        [0xff, 0xfe, 0x00]
      ])
      assert.strictEqual(upstream.requests.length, 2)
    })
  )

  it.effect("a cassette that is missing says how it is recorded", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        built(TestHttpClient.make({ cassette: "/nowhere/rates.json" }))
      )
      assert.include(error.message, "The cassette /nowhere/rates.json cannot be read")
      assert.include(error.message, "with `record: true`")
    })
  )
})

describe("time", () => {
  it.effect("waits between attempts double, and Retry-After is honoured if it is longer", () =>
    Effect.gen(function* () {
      const double = TestHttpClient.make({
        replies: [
          { request: get("/"), response: { failure: "ECONNRESET" } },
          { request: get("/"), response: { headers: { "retry-after": "7" }, status: 429 } },
          { request: get("/"), response: { status: 502 } },
          { request: get("/"), response: { body: "ok" } }
        ]
      })
      const { client } = yield* built(double, { retries: 3, retryDelay: "1 second" })
      const fiber = yield* Effect.forkChild(
        Effect.provideService(client.get(url), Random.Random, {
          nextDoubleUnsafe: () => 1,
          nextIntUnsafe: () => 1
        })
      )
      const sent = (time: Duration.Input, count: number) =>
        Effect.andThen(
          TestClock.adjust(time),
          Effect.sync(() => assert.strictEqual(double.requests.length, count, String(time)))
        )
      yield* sent("0 seconds", 1)
      yield* sent("999 millis", 1)
      yield* sent("1 millis", 2)
      yield* sent("6999 millis", 2)
      yield* sent("1 millis", 3)
      yield* sent("1999 millis", 3)
      yield* sent("1 millis", 4)
      assert.strictEqual(yield* (yield* Fiber.join(fiber)).text, "ok")
    })
  )

  it.effect("a call ends with its time, whatever its attempts do", () =>
    Effect.gen(function* () {
      const double = TestHttpClient.make({
        replies: [{ request: get("/"), response: { delay: 60_000 } }]
      })
      const { client } = yield* built(double, {
        attemptTimeout: "4 seconds",
        retries: 100,
        timeout: "10 seconds"
      })
      const fiber = yield* Effect.forkChild(Effect.flip(client.get(url)))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(refusalOf(yield* Fiber.join(fiber))?.limit, "timeout")
    })
  )

  it.effect("a failure before hedgeAfter is retried, and not doubled", () =>
    Effect.gen(function* () {
      const double = TestHttpClient.make({
        replies: [
          { request: get("/"), response: { failure: "ECONNRESET" } },
          { request: get("/"), response: { delay: 2000 } },
          { request: get("/"), response: { body: "hedge", delay: 500 } }
        ]
      })
      const { client } = yield* built(double, { hedgeAfter: "1 second", retryDelay: "1 millis" })
      const fiber = yield* Effect.forkChild(client.get(url))
      yield* TestClock.adjust("10 millis")
      assert.strictEqual(double.requests.length, 2)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(double.requests.length, 3)
      yield* TestClock.adjust("500 millis")
      assert.strictEqual(yield* (yield* Fiber.join(fiber)).text, "hedge")
    })
  )

  it.effect(
    "without a budget there is no hedge, and a failure says that it was not sent again",
    () =>
      Effect.gen(function* () {
        const double = TestHttpClient.make({
          replies: [{ request: get("/"), response: { delay: 2000, failure: "ECONNRESET" } }]
        })
        const { client } = yield* built(double, { hedgeAfter: "1 second", retryBudget: 0 })
        const fiber = yield* Effect.forkChild(Effect.flip(client.get(url)))
        yield* TestClock.adjust("3 seconds")
        const error = yield* Fiber.join(fiber)
        assert.include(error.message, 'the retry budget of upstream "other" is used up')
        assert.strictEqual(double.requests.length, 1)
      })
  )
})
