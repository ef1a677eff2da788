import { gzipSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { Middleware, Plugin } from "flange"
import { TestApp, type TestResponse } from "flange/Testing"
import { until } from "./conformance.ts"
import { ada, as, Broken, make, type Parts, Refused, type Token } from "./fixtures.ts"

const boot = (parts?: Parts) => {
  const { app, ran, seen } = make(parts)
  return Effect.map(TestApp.make(app), (test) => ({ ran, seen, test }))
}

const book = { json: { what: "book" } }

/** Asserts that a reply was made for its own request. */
const isFresh = (reply: TestResponse): TestResponse => {
  assert.isFalse(reply.headers.has("idempotency-replayed"), reply.text)
  return reply
}

const codeOf = ({ json }: { readonly json: unknown }) => (json as { readonly code: string }).code

describe("a request that is sent again with its key", () => {
  it.effect("is known behind middleware that wraps it before its caller is authenticated", () =>
    Effect.gen(function* () {
      const Wrapper = Plugin.make("app:wrapper", {
        middleware: [
          Middleware.make("wrapper", {
            build: Effect.succeed(() => (next) => Effect.suspend(() => next)),
            slot: "TransportSecurity"
          })
        ]
      })
      const { ran, test } = yield* boot({ before: [Wrapper] })
      const first = yield* test.post("/made/created", { headers: ada("k") })
      isFresh(first.expectStatus(201))
      const second = yield* test.post("/made/created", { headers: ada("k") })
      second.expectStatus(201).expectHeader("idempotency-replayed", "true")
      const other = yield* test.post("/made/created", { headers: as("token-of-bob-0000", "k") })
      isFresh(other.expectStatus(201))
      assert.deepStrictEqual(ran, ["created", "created"])
    })
  )

  it.effect("gets the status, the headers and the body of the first reply", () =>
    Effect.gen(function* () {
      const { ran, seen, test } = yield* boot()
      const first = yield* test.post("/made/created", { headers: ada("k") })
      isFresh(first.expectStatus(201))
      yield* TestClock.adjust("1 hour")
      const second = yield* test.post("/made/created", { headers: ada("k") })
      second
        .expectStatus(201)
        .expectHeader("etag", '"1"')
        .expectHeader("location", "/orders/1")
        .expectHeader("content-type", first.headers.get("content-type")!)
        .expectHeader("idempotency-replayed", "true")
      assert.strictEqual(second.text, "run 1")
      assert.notStrictEqual(second.headers.get("x-request-id"), first.headers.get("x-request-id"))
      assert.deepStrictEqual(ran, ["created"])
      assert.deepStrictEqual(seen, ["undefined 201", "replayed 201"])
    })
  )

  it.effect("gets values, bytes and an empty reply as they were", () =>
    Effect.gen(function* () {
      const { ran, test } = yield* boot()
      for (const [path, options] of [
        ["/orders", book],
        ["/made/bytes", {}],
        ["/made/empty", {}]
      ] as const) {
        const send = test.post(path, { ...options, headers: ada(path) })
        const [first, second] = [yield* send, yield* send]
        second.expectStatus(first.status).expectHeader("idempotency-replayed", "true")
        assert.deepStrictEqual(second.bytes, first.bytes)
        assert.strictEqual(second.headers.get("content-type"), first.headers.get("content-type"))
      }
      assert.deepStrictEqual(ran, ["book", "bytes", "empty"])
    })
  )

  it.effect("gets no cookie and no header of the first exchange", () =>
    Effect.gen(function* () {
      const { test } = yield* boot()
      const send = test.post("/made/cookie", { headers: ada("k") })
      ;(yield* send).expectHeader("set-cookie", /secret/).expectHeader("server-timing", "a;dur=1")
      const again = (yield* send).expectHeader("x-own", "own 1")
      assert.isFalse(again.headers.has("set-cookie"))
      assert.isFalse(again.headers.has("server-timing"))
    })
  )

  it.effect("is carried out again after the time of its endpoint", () =>
    Effect.gen(function* () {
      const { ran, test } = yield* boot()
      const send = test.post("/required", { headers: ada("k") })
      yield* send
      yield* TestClock.adjust("59 seconds")
      ;(yield* send).expectHeader("idempotency-replayed", "true")
      yield* TestClock.adjust("2 seconds")
      isFresh(yield* send)
      assert.strictEqual(ran.length, 2)
    })
  )

  it.effect("is refused if its reply was a stream or too large, and not carried out again", () =>
    Effect.gen(function* () {
      const { ran, test } = yield* boot()
      for (const how of ["huge", "stream"]) {
        const send = test.post(`/made/${how}`, { headers: ada(how) })
        ;(yield* send).expectStatus(200)
        const second = (yield* send).expectStatus(409)
        assert.isFalse(second.headers.has("retry-after"))
        assert.strictEqual(codeOf(second), "IDEMPOTENCY_REPLY_TOO_LARGE")
      }
      assert.deepStrictEqual(ran, ["huge", "stream"])
    })
  )
})

describe("one key", () => {
  const pairs: ReadonlyArray<
    readonly [string, readonly [string, object], readonly [string, object]]
  > = [
    ["another body", ["/orders", book], ["/orders", { json: { what: "pen" } }]],
    [
      "the same JSON with other spaces",
      ["/orders", { body: '{"what":"book"}', headers: { "content-type": "application/json" } }],
      ["/orders", { body: '{"what": "book"}', headers: { "content-type": "application/json" } }]
    ],
    ["another query", ["/orders?tag=a", book], ["/orders?tag=b", book]],
    ["another parameter of the path", ["/made/empty", {}], ["/made/created", {}]]
  ]
  for (const [what, [firstPath, first], [secondPath, second]] of pairs) {
    it.effect(`with ${what} is refused`, () =>
      Effect.gen(function* () {
        const { ran, seen, test } = yield* boot()
        const send = (path: string, options: { readonly headers?: object }) =>
          test.post(path, { ...options, headers: { ...options.headers, ...ada("k") } })
        isFresh(yield* send(firstPath, first))
        const reply = (yield* send(secondPath, second)).expectStatus(422)
        assert.strictEqual(codeOf(reply), "IDEMPOTENCY_KEY_REUSED")
        assert.strictEqual(ran.length, 1)
        assert.strictEqual(seen[1], "reused 422")
      })
    )
  }

  it.effect("with other bytes, another declared header or content type is refused", () =>
    Effect.gen(function* () {
      const { ran, test } = yield* boot()
      const send = (bytes: ReadonlyArray<number>, headers: object = {}) =>
        test.put("/bytes/1", {
          body: new Uint8Array(bytes),
          headers: { "content-type": "application/octet-stream", ...headers, ...ada("k") }
        })
      ;(yield* send([0, 255])).expectStatus(200)
      ;(yield* send([0, 255], { "x-other": "1" })).expectHeader("idempotency-replayed", "true")
      ;(yield* send([0, 254])).expectStatus(422)
      ;(yield* send([0, 255, 0])).expectStatus(422)
      ;(yield* send([0, 255], { "x-tenant": "a" })).expectStatus(422)
      assert.strictEqual(ran.length, 1)
    })
  )

  it.effect(
    "with the same body in another coding, or a query in another order, is the same request",
    () =>
      Effect.gen(function* () {
        const { ran, test } = yield* boot()
        const headers = { "content-type": "application/json", ...ada("k") }
        const text = '{"what":"book"}'
        yield* test.post("/orders?tag=a&mode=b", { body: text, headers })
        const zipped = yield* test.post("/orders?mode=b&tag=a", {
          body: new Uint8Array(gzipSync(text)),
          headers: { ...headers, "content-encoding": "gzip" }
        })
        zipped.expectStatus(200).expectHeader("idempotency-replayed", "true")
        assert.strictEqual(ran.length, 1)
      })
  )

  it.effect("of another caller or another endpoint is another key", () =>
    Effect.gen(function* () {
      const { ran, test } = yield* boot()
      const send = (token: Token, path: string) => test.post(path, { headers: as(token, "k") })
      yield* send("token-of-ada-0000", "/required")
      isFresh(yield* send("token-of-bob-0000", "/required"))
      isFresh(yield* send("token-of-ada-0000", "/made/empty"))
      ;(yield* send("token-of-ada-less", "/required")).expectHeader("idempotency-replayed", "true")
      assert.strictEqual(ran.length, 3)
    })
  )

  it.effect("shows no stored reply to a caller who may not call the endpoint any more", () =>
    Effect.gen(function* () {
      const { ran, test } = yield* boot()
      ;(yield* test.post("/guarded", { headers: ada("k") })).expectStatus(200)
      ;(yield* test.post("/guarded", { headers: as("token-of-ada-less", "k") })).expectStatus(403)
      ;(yield* test.post("/guarded", { headers: { "idempotency-key": "k" } })).expectStatus(401)
      ;(yield* test.post("/guarded", { headers: ada("k") })).expectHeader(
        "idempotency-replayed",
        "true"
      )
      assert.strictEqual(ran.length, 1)
    })
  )
})

describe("the header", () => {
  it.effect(
    "is optional, ignored without the annotation, and required where the contract says so",
    () =>
      Effect.gen(function* () {
        const { ran, test } = yield* boot()
        yield* test.post("/orders", { ...book, headers: ada() })
        yield* test.post("/orders", { ...book, headers: ada() })
        yield* test.post("/unkeyed", { headers: ada("k") })
        yield* test.post("/unkeyed", { headers: ada("k") })
        assert.strictEqual(ran.length, 4)
        const reply = (yield* test.post("/required", { headers: ada() })).expectStatus(400)
        assert.strictEqual(codeOf(reply), "IDEMPOTENCY_KEY_MISSING")
        ;(yield* test.get("/orders", { headers: ada("") })).expectStatus(200)
      })
  )

  it.effect("takes a key with or without quotes, and both are one key", () =>
    Effect.gen(function* () {
      const { ran, test } = yield* boot()
      const same = [
        ["abc", '"abc"'],
        ['a"b\\c', String.raw`"a\"b\\c"`],
        ["x".repeat(255), `"${"x".repeat(255)}"`]
      ]
      for (const [plain, quoted] of same) {
        ;(yield* test.post("/required", { headers: ada(plain) })).expectStatus(200)
        const again = yield* test.post("/required", { headers: ada(quoted) })
        again.expectHeader("idempotency-replayed", "true")
      }
      assert.strictEqual(ran.length, 3)
    })
  )

  it.effect("is refused if it is no key", () =>
    Effect.gen(function* () {
      const { ran, test } = yield* boot()
      const wrong = [
        "",
        "a b",
        "a, b",
        "x".repeat(256),
        '"',
        '""',
        '"a',
        '"a"b',
        '"a b"',
        '"a";x=1',
        "caf\u{e9}",
        `"${"x".repeat(256)}"`,
        `"${'\\"'.repeat(256)}"`
      ]
      for (const key of wrong) {
        const reply = (yield* test.post("/required", { headers: ada(key) })).expectStatus(400)
        assert.strictEqual(codeOf(reply), "IDEMPOTENCY_KEY_MALFORMED", key)
      }
      assert.strictEqual(ran.length, 0)
    })
  )
})

describe("a request while the first one runs", () => {
  const running = Effect.gen(function* () {
    const entered = yield* Deferred.make<void>()
    const go = yield* Deferred.make<void>()
    const gone = yield* Deferred.make<void>()
    const parts: Parts = {
      during: () =>
        Effect.andThen(Deferred.succeed(entered, undefined), Deferred.await(go)).pipe(
          Effect.onInterrupt(() => Deferred.succeed(gone, undefined))
        )
    }
    const { ran, test } = yield* boot(parts)
    const send = (options: { readonly json: object } = book) =>
      test.post("/orders", { ...options, headers: ada("k") })
    const first = yield* Effect.forkChild(send())
    yield* Deferred.await(entered)
    return { first, go, gone, ran, send }
  })

  it.effect("is told to come back, and then gets the reply", () =>
    Effect.gen(function* () {
      const { first, go, ran, send } = yield* running
      const busy = (yield* send()).expectStatus(409).expectHeader("retry-after", "1")
      assert.strictEqual(codeOf(busy), "IDEMPOTENCY_KEY_IN_USE")
      ;(yield* send({ json: { what: "pen" } })).expectStatus(422)
      yield* Deferred.succeed(go, undefined)
      ;(yield* Fiber.join(first)).expectStatus(200)
      ;(yield* send()).expectHeader("idempotency-replayed", "true")
      assert.strictEqual(ran.length, 1)
    })
  )

  it.effect("is carried out if the client of the first one went away", () =>
    Effect.gen(function* () {
      const { first, go, gone, ran, send } = yield* running
      yield* Fiber.interrupt(first)
      yield* Deferred.await(gone)
      yield* Deferred.succeed(go, undefined)
      yield* until(Effect.map(send(), ({ status }) => status === 200))
      assert.strictEqual(ran.length, 2)
    })
  )

  it.effect("is one of a thousand, of which one is carried out", () =>
    Effect.gen(function* () {
      const { ran, test } = yield* boot({ during: () => Effect.yieldNow })
      const replies = yield* Effect.forEach(
        Array.from({ length: 1000 }),
        () => test.post("/orders", { ...book, headers: ada("k") }),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(ran.length, 1)
      const fresh = replies.filter(
        ({ headers, status }) => status === 200 && !headers.has("idempotency-replayed")
      )
      assert.strictEqual(fresh.length, 1)
      for (const { status } of replies) assert.include([200, 409], status)
    })
  )
})

describe("a request that fails", () => {
  const failing = (error: () => Effect.Effect<void, Broken | Refused>) =>
    Effect.gen(function* () {
      const { ran, test } = yield* boot({
        during: (mode) => (mode === "fail" ? error() : Effect.void)
      })
      return { ran, send: test.post("/orders?mode=fail", { ...book, headers: ada("k") }) }
    })

  it.effect("with an error of its contract below 500 gets the same error again", () =>
    Effect.gen(function* () {
      const { ran, send } = yield* failing(() => Effect.fail(new Refused({ why: "closed" })))
      const first = isFresh(yield* send).expectStatus(422)
      const second = (yield* send).expectStatus(422).expectHeader("idempotency-replayed", "true")
      assert.strictEqual(codeOf(second), "REFUSED")
      assert.strictEqual(second.text, first.text)
      assert.strictEqual(ran.length, 1)
    })
  )

  it.effect("with a defect, or an error of 500 and above, frees its key", () =>
    Effect.gen(function* () {
      for (const error of [() => Effect.die("bug"), () => Effect.fail(new Broken())]) {
        const { ran, send } = yield* failing(error)
        isFresh(yield* send)
        isFresh(yield* send)
        assert.strictEqual(ran.length, 2)
      }
    })
  )

  it.effect("before its handler frees its key: the client may correct it", () =>
    Effect.gen(function* () {
      const { ran, test } = yield* boot()
      const wrong = yield* test.post("/orders", { headers: ada("k"), json: { what: 1 } })
      wrong.expectStatus(400)
      ;(yield* test.post("/orders", { ...book, headers: ada("k") })).expectStatus(200)
      const large = { json: { what: "x".repeat(100) } }
      ;(yield* test.post("/small", { ...large, headers: ada("k") })).expectStatus(413)
      ;(yield* test.post("/small", { ...book, headers: ada("k") })).expectStatus(200)
      assert.strictEqual(ran.length, 2)
    })
  )

  it.effect("keeps what its handler has returned, whatever its status is", () =>
    Effect.gen(function* () {
      const { ran, test } = yield* boot()
      for (const [how, status] of [
        ["busy", 429],
        ["unavailable", 503]
      ] as const) {
        const send = test.post(`/made/${how}`, { headers: ada(how) })
        ;(yield* send).expectStatus(status)
        ;(yield* send).expectStatus(status).expectHeader("idempotency-replayed", "true")
      }
      assert.strictEqual(ran.length, 2)
    })
  )
})
