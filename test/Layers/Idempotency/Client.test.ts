import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpApi from "effect/http-api/HttpApi"
import * as OpenApi from "effect/http-api/OpenApi"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import { App } from "flange"
import { Client } from "flange/Contract"
import * as Idempotency from "flange/Idempotency"
import { Idempotent, withKey } from "flange/Idempotency/Contract"
import { TestApp } from "flange/Testing"
import { ada, make, OrdersApi } from "./fixtures.ts"

const request = { payload: { what: "book" }, query: {} }

/** A client that records the keys that it sends, and fails as often as it is told. */
const recording = (failures: number) => {
  const keys: Array<string | undefined> = []
  const client = HttpClient.make((sent) => {
    keys.push(sent.headers["idempotency-key"])
    return Effect.succeed(
      HttpClientResponse.fromWeb(
        sent,
        keys.length <= failures
          ? new Response(null, { status: 500 })
          : Response.json({ run: 1 }, { status: 200 })
      )
    )
  })
  return { client, keys }
}

const call = (client: HttpClient.HttpClient) =>
  Effect.map(
    Effect.provideService(
      Client.make(HttpApi.make("shop").add(OrdersApi), { baseUrl: "http://shop" }),
      HttpClient.HttpClient,
      client
    ),
    ({ orders }) => orders
  )

describe("a typed client", () => {
  it.effect("sends one key with all attempts of a call, and another one with the next call", () =>
    Effect.gen(function* () {
      const { client, keys } = recording(2)
      const orders = yield* call(client)
      const create = withKey(Effect.retry(orders.create(request), { times: 3 }))
      yield* create
      yield* create
      const [first, second, third, fourth] = keys
      assert.match(first!, /^"[0-9a-f-]{36}"$/)
      assert.deepStrictEqual([second, third], [first, first])
      assert.notStrictEqual(fourth, first)
    })
  )

  it.effect("sends a given key, no key without withKey, and none with a GET", () =>
    Effect.gen(function* () {
      const { client, keys } = recording(0)
      const orders = yield* call(client)
      yield* withKey(orders.create(request), 'a"b')
      yield* orders.create(request)
      yield* Effect.ignore(withKey(orders.read()))
      assert.deepStrictEqual(keys, [String.raw`"a\"b"`, undefined, undefined])
      assert.throws(() => withKey(Effect.void, "a b"), /no idempotency key/)
      assert.throws(() => Idempotent.keyed({ ttl: 0 }), /above zero/)
    })
  )

  it.effect("gets the errors of keys as classes", () =>
    Effect.gen(function* () {
      const { app } = make()
      const test = yield* TestApp.make(app)
      const orders = yield* call(
        HttpClient.make((sent, url) =>
          Effect.map(
            Effect.orDie(
              test.post(url.pathname, {
                body: sent.body._tag === "Uint8Array" ? new Uint8Array(sent.body.body) : "",
                headers: { ...sent.headers, ...ada(), "content-type": "application/json" }
              })
            ),
            ({ headers, status, text }) =>
              HttpClientResponse.fromWeb(sent, new Response(text, { headers, status }))
          )
        )
      )
      assert.deepStrictEqual(yield* withKey(orders.create(request), "k"), { run: 1 })
      assert.deepStrictEqual(yield* withKey(orders.create(request), "k"), { run: 1 })
      const other = { payload: { what: "pen" }, query: {} }
      const error = yield* Effect.flip(withKey(orders.create(other), "k"))
      assert.strictEqual(error._tag, "IdempotencyKeyReused")
    })
  )
})

describe("the description of an app", () => {
  it("has the rules of each endpoint, and the errors of its keys", () => {
    const { routes } = App.describe(make().app)
    const of = (wanted: string) => routes.find(({ name }) => name === wanted)!
    assert.deepStrictEqual(of("orders.required").idempotency, { required: true, ttl: 60_000 })
    assert.deepStrictEqual(of("orders.create").idempotency, { required: false, ttl: undefined })
    assert.isUndefined(of("orders.read").idempotency)
    assert.isUndefined(of("orders.unkeyed").idempotency)
    assert.include([...of("orders.required").errors["409"]!], "IDEMPOTENCY_KEY_IN_USE")
    assert.notInclude([...(of("orders.unkeyed").errors["409"] ?? [])], "IDEMPOTENCY_KEY_IN_USE")
  })
})

describe("the OpenAPI document", () => {
  it("has the header, the errors and the mark of a repeated reply, on endpoints with keys", () => {
    const api = HttpApi.make("shop").add(OrdersApi) as unknown as HttpApi.Top
    const { paths } = OpenApi.fromApi(Idempotency.plugin.manifest.annotate!(api))
    const { parameters, responses } = paths["/required"]!.post!
    const header = parameters.filter(({ name }) => name === "idempotency-key")
    assert.deepInclude(header[0], { in: "header", required: true })
    assert.strictEqual(header.length, 1)
    const headersOf = (status: number) => Object.keys(responses[status]?.headers ?? {})
    assert.include(headersOf(200), "idempotency-replayed")
    assert.include(headersOf(409), "retry-after")
    assert.containsAllKeys(responses, ["400", "409", "422"])
    const optional = paths["/orders"]!.post!.parameters.find(
      ({ name }) => name === "idempotency-key"
    )
    assert.isFalse(optional?.required)
    for (const path of ["/unkeyed", "/orders"]) {
      const operation = paths[path]!.get ?? paths[path]!.post!
      assert.notInclude(
        operation.parameters.map(({ name }) => name),
        "idempotency-key"
      )
      assert.notProperty(operation.responses, "409")
    }
  })
})
