import { describe, expect, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { Catalogue } from "flange"
import { MockAuth } from "flange/Auth/Testing"
import { ObjectCache } from "flange/Cache"
import { TestApp, type TestResponse } from "flange/Testing"
import { app } from "../../examples/recipe-api/app.ts"
import { AuthPlugin } from "../../examples/recipe-api/auth/AuthPlugin.ts"
import { OrderId } from "../../examples/recipe-api/orders/Order.ts"
import { OneOrder, OrderNotFound } from "../../examples/recipe-api/orders/OrdersApi.ts"
import { apiKey, bearer, challenge, draft, jwtSecret, signed, type Wanted } from "./recipeTokens.ts"

const missing = OrderId.make("0198c0de-0000-7000-8000-000000000000")

const as = (subject: string, wanted?: Wanted) =>
  Effect.map(
    Effect.promise(() => signed(subject, wanted)),
    bearer
  )

/** The app without its own authentication: every request comes from this caller. */
const appAs = (auth: MockAuth.MockAuth) =>
  TestApp.make(app, { replace: [[AuthPlugin, auth]] as const })

const writer = MockAuth.as("alice", { scopes: ["orders:write"] })

/** The app with its own authentication. */
const booted = TestApp.layer(app, { config: { auth: { apiKey, jwtSecret } } })

describe("public routes", () => {
  it.live("serve callers whom nobody knows", () =>
    Effect.gen(function* () {
      const api = yield* appAs(MockAuth.anonymous())
      ;(yield* api.get("/status"))
        .expectStatus(200)
        .expectJson({ service: "recipe-api", status: "ok" })
      ;(yield* api.get("/v1/strings/upper", { query: { text: " straße & co " } }))
        .expectStatus(200)
        .expectJson({ original: " straße & co ", upper: "STRASSE & CO" })
      ;(yield* api.get("/v1/strings/upper?text=")).expectJson({ original: "", upper: "" })
      ;(yield* api.get("/v1/strings/upper")).expectProblem("VALIDATION_FAILED", 400, {
        errors: [{ location: "query", pointer: "/text" }]
      })
      api.expectNoErrors()
    })
  )
})

describe("the cache", () => {
  it.effect("answers the status for ten seconds", () =>
    Effect.gen(function* () {
      const api = yield* appAs(MockAuth.anonymous())
      ;(yield* api.get("/status")).expectHeader("x-cache", "MISS")
      ;(yield* api.get("/status"))
        .expectHeader("cache-control", "public, max-age=10")
        .expectHeader("x-cache", "HIT")
        .expectJson({ service: "recipe-api", status: "ok" })
      yield* TestClock.adjust("10 seconds")
      ;(yield* api.get("/status")).expectHeader("x-cache", "MISS")
    })
  )

  it.effect("has the pages of a caller's orders until the caller places another one", () =>
    Effect.gen(function* () {
      const api = yield* appAs(writer)
      const pages = Effect.map(
        ObjectCache.use(({ stats }) => stats),
        ({ caches }) => caches["order-pages"]
      )
      const list = (total: number) =>
        Effect.map(api.get("/v1/orders"), (reply) => reply.expectJsonMatch({ total }))
      yield* list(0)
      yield* list(0)
      expect(yield* api.run(pages)).toMatchObject({ hits: 1, loads: 1 })
      ;(yield* api.post("/v1/orders", { json: draft })).expectStatus(201)
      yield* list(1)
      expect(yield* api.run(pages)).toMatchObject({ hits: 1, loads: 2 })
    })
  )
})

describe("protected routes", () => {
  it.live("answer 401 to callers whom nobody knows, before anything else", () =>
    Effect.gen(function* () {
      const api = yield* appAs(MockAuth.anonymous())
      for (const reply of [
        yield* api.get("/v1/me"),
        yield* api.get("/v1/orders?limit=0"),
        yield* api.post("/v1/orders", { json: {} }),
        yield* api.get("/v1/orders/7")
      ]) {
        reply.expectProblem("UNAUTHENTICATED", 401, { detail: "Authentication is required" })
      }
      const error = yield* Effect.flip(api.client.me.read())
      expect(error).toBeInstanceOf(Catalogue.Unauthenticated)
    })
  )

  it.live("tell callers whom they are taken for", () =>
    Effect.gen(function* () {
      const api = yield* appAs(MockAuth.as("alice", { scopes: ["b", "a"] }))
      ;(yield* api.get("/v1/me")).expectStatus(200).expectJson({
        authMethod: "mock",
        isPrivileged: false,
        isServiceAccount: false,
        scopes: ["a", "b"],
        subject: "alice"
      })
    })
  )
})

describe("orders", () => {
  it.live("are created, found again and listed", () =>
    Effect.gen(function* () {
      const api = yield* appAs(writer)
      const reply = yield* api.post("/v1/orders", {
        json: { customer: " Acme ", items: [" lamp", "cable "] }
      })
      const { order } = reply.expectStatus(201).decode(OneOrder)
      reply.expectHeader("location", `/v1/orders/${order.id}`).expectJson({
        order: {
          createdBy: "alice",
          customer: "Acme",
          id: order.id,
          items: ["lamp", "cable"],
          status: "received"
        }
      })
      const read = yield* api.get(`/v1/orders/${order.id}`)
      read.expectStatus(200).expectJson(reply.json)
      ;(yield* api.get("/v1/orders"))
        .expectStatus(200)
        .expectJson({ limit: 50, orders: [order], page: 1, total: 1 })
      api.expectNoErrors()
    })
  )

  it.live("have pages, oldest first, and are found by customer", () =>
    Effect.gen(function* () {
      const { client, get } = yield* appAs(writer)
      for (const customer of ["Acme", "Bolt", "acme west"]) {
        yield* client.orders.create({ payload: { customer, items: ["lamp"] } })
      }
      const names = (query: string) =>
        Effect.map(get(`/v1/orders${query}`), ({ json }) => {
          const { orders, total } = json as {
            readonly orders: ReadonlyArray<{ readonly customer: string }>
            readonly total: number
          }
          return [orders.map(({ customer }) => customer), total]
        })
      expect(yield* names("")).toEqual([["Acme", "Bolt", "acme west"], 3])
      expect(yield* names("?limit=2&page=2")).toEqual([["acme west"], 3])
      expect(yield* names("?customer=ACME")).toEqual([["Acme", "acme west"], 2])
      expect(yield* names("?customer=acme&limit=1")).toEqual([["Acme"], 2])
      expect(yield* names("?customer=nobody")).toEqual([[], 0])
      ;(yield* get("/v1/orders?limit=501&page=0")).expectProblem("VALIDATION_FAILED", 400, {
        errors: [{ pointer: "/limit" }, { pointer: "/page" }]
      })
    })
  )

  it.live("answer 404 about ids that do not exist, and 400 about what is no id", () =>
    Effect.gen(function* () {
      const api = yield* appAs(writer)
      ;(yield* api.get(`/v1/orders/${missing}`)).expectProblem("ORDER_NOT_FOUND", 404, {
        detail: `Order ${missing} does not exist`,
        id: missing
      })
      const error = yield* Effect.flip(api.client.orders.read({ params: { orderId: missing } }))
      expect(error).toBeInstanceOf(OrderNotFound)
      ;(yield* api.get("/v1/orders/7")).expectProblem("VALIDATION_FAILED", 400, {
        errors: [{ detail: "Expected a UUID v7", location: "path", pointer: "/orderId" }]
      })
    })
  )

  const customer = { detail: "customer is required", location: "body", pointer: "/customer" }
  const items = { detail: "at least one item is required", location: "body", pointer: "/items" }
  const blank = (i: number) => ({
    detail: "items cannot be blank",
    location: "body",
    pointer: `/items/${i}`
  })
  const invalid: ReadonlyArray<readonly [body: object, errors: ReadonlyArray<object>]> = [
    [{}, [customer, items]],
    [{ items: ["lamp"] }, [customer]],
    [{ customer: "", items: ["lamp"] }, [customer]],
    [{ customer: " \t", items: ["lamp"] }, [customer]],
    [{ customer: "Acme" }, [items]],
    [{ customer: "Acme", items: [] }, [items]],
    [{ customer: "Acme", items: [""] }, [blank(0)]],
    [{ customer: "Acme", items: ["", "lamp", " \n"] }, [blank(0), blank(2)]],
    [{ customer: "", items: [] }, [customer, items]],
    [{ customer: " ", items: [" "] }, [customer, blank(0)]],
    [
      { customer: 7, items: "lamp" },
      [
        { ...customer, detail: "Expected string" },
        { ...items, detail: "Expected array" }
      ]
    ]
  ]
  for (const [where, boot] of [
    ["in memory", TestApp.make],
    ["through a socket", TestApp.listening]
  ] as const) {
    it.live(`that are invalid answer 400 with every issue, ${where}`, () =>
      Effect.gen(function* () {
        const api = yield* boot(app, { replace: [[AuthPlugin, writer]] as const })
        for (const [json, errors] of invalid) {
          const reply: TestResponse = yield* api.post("/v1/orders", { json })
          reply.expectProblem("VALIDATION_FAILED", 400)
          expect(reply.json, JSON.stringify(json)).toMatchObject({ errors })
          expect((reply.json as { errors: Array<object> }).errors).toHaveLength(errors.length)
        }
        ;(yield* api.get("/v1/orders")).expectJsonMatch({ total: 0 })
      })
    )
  }

  it.live("are not created without the scope, whatever the body is", () =>
    Effect.gen(function* () {
      const api = yield* appAs(MockAuth.as("bob", { scopes: ["orders:read"] }))
      for (const json of [draft, {}]) {
        ;(yield* api.post("/v1/orders", { json })).expectProblem("FORBIDDEN", 403, {
          detail: "You are not allowed to do this"
        })
      }
      ;(yield* api.get("/v1/orders")).expectJsonMatch({ total: 0 })
      const error = yield* Effect.flip(api.client.orders.create({ payload: draft }))
      expect(error).toBeInstanceOf(Catalogue.Forbidden)
    })
  )
})

layer(booted)("with real credentials", (it) => {
  it.effect("a token says who calls and what is allowed", () =>
    Effect.gen(function* () {
      const { get, post } = yield* TestApp.service(app)
      const alice = yield* as("alice", { scopes: "orders:write profile" })
      ;(yield* get("/v1/me", { headers: alice })).expectStatus(200).expectJson({
        authMethod: "jwt",
        isPrivileged: false,
        isServiceAccount: false,
        scopes: ["orders:write", "profile"],
        subject: "alice"
      })
      const reply = yield* post("/v1/orders", { headers: alice, json: draft })
      reply.expectStatus(201).expectJsonMatch({ order: { createdBy: "alice" } })
    })
  )

  it.effect("the key is that of the service account fulfilment", () =>
    Effect.gen(function* () {
      const { get, post } = yield* TestApp.service(app)
      const headers = { "x-api-key": apiKey }
      ;(yield* get("/v1/me", { headers })).expectStatus(200).expectJson({
        authMethod: "api-key",
        isPrivileged: true,
        isServiceAccount: true,
        scopes: ["orders:write"],
        subject: "fulfilment"
      })
      const reply = yield* post("/v1/orders", { headers, json: draft })
      reply.expectStatus(201).expectJsonMatch({ order: { createdBy: "fulfilment" } })
    })
  )

  it.effect("callers see their own orders, and fulfilment those of everybody", () =>
    Effect.gen(function* () {
      const { get, post } = yield* TestApp.service(app)
      const carol = yield* as("carol", { scopes: "orders:write" })
      const dave = yield* as("dave")
      const robot = { "x-api-key": apiKey }
      const json = { customer: "Only Carol", items: ["lamp"] }
      const reply = yield* post("/v1/orders", { headers: carol, json })
      const path = `/v1/orders/${reply.expectStatus(201).decode(OneOrder).order.id}`
      ;(yield* get(path, { headers: carol })).expectStatus(200).expectJson(reply.json)
      ;(yield* get(path, { headers: robot })).expectStatus(200).expectJson(reply.json)
      // Like an id that does not exist: whoever asks does not learn that this one does.
      ;(yield* get(path, { headers: dave })).expectProblem("ORDER_NOT_FOUND", 404)
      const query = { customer: "only carol" }
      ;(yield* get("/v1/orders", { headers: carol, query })).expectJsonMatch({ total: 1 })
      ;(yield* get("/v1/orders", { headers: robot, query })).expectJsonMatch({ total: 1 })
      ;(yield* get("/v1/orders", { headers: dave, query })).expectJsonMatch({ total: 0 })
    })
  )

  it.effect("a token without the scope answers 403 and says which one is missing", () =>
    Effect.gen(function* () {
      const { post } = yield* TestApp.service(app)
      const headers = yield* as("bob", { scopes: "orders:read" })
      ;(yield* post("/v1/orders", { headers, json: draft }))
        .expectProblem("FORBIDDEN", 403)
        .expectHeader(
          "www-authenticate",
          'Bearer realm="recipe-api", error="insufficient_scope", scope="orders:write"'
        )
    })
  )

  it.effect("no credentials answer 401 with how to authenticate", () =>
    Effect.gen(function* () {
      const { get } = yield* TestApp.service(app)
      ;(yield* get("/v1/me"))
        .expectProblem("UNAUTHENTICATED", 401)
        .expectHeader("www-authenticate", challenge())
    })
  )

  it.effect("a token ends at its exp", () =>
    Effect.gen(function* () {
      const { get } = yield* TestApp.service(app)
      // The test clock starts in 1970.
      const headers = yield* as("alice", { expires: 300 })
      yield* TestClock.setTime(299_000)
      ;(yield* get("/v1/me", { headers })).expectStatus(200)
      yield* TestClock.setTime(300_000)
      ;(yield* get("/v1/me", { headers }))
        .expectProblem("UNAUTHENTICATED", 401)
        .expectHeader("www-authenticate", challenge(', error="invalid_token"'))
    })
  )

  it.effect("wrong credentials answer 401, also beside right ones", () =>
    Effect.gen(function* () {
      const { get } = yield* TestApp.service(app)
      const wrong = challenge(', error="invalid_token"')
      for (const wanted of [
        { secret: "another-secret-with-thirty-two-bytes-in-it" },
        { audience: "another-api" },
        { issuer: "somebody-else" }
      ]) {
        const headers = { ...(yield* as("alice", wanted)), "x-api-key": apiKey }
        const reply = yield* get("/v1/me", { headers })
        reply.expectProblem("UNAUTHENTICATED", 401).expectHeader("www-authenticate", wrong)
      }
      for (const headers of [bearer("no.token.at-all"), bearer("nonsense")]) {
        ;(yield* get("/v1/me", { headers })).expectHeader("www-authenticate", wrong)
      }
      const reply = yield* get("/v1/me", { headers: { "x-api-key": `${apiKey}x` } })
      reply.expectProblem("UNAUTHENTICATED", 401)
    })
  )

  it.effect("are in no line of the log; who they belong to is", () =>
    Effect.gen(function* () {
      const { get, logs } = yield* TestApp.service(app)
      const headers = yield* as("erin")
      yield* get("/v1/me", { headers })
      yield* get("/v1/me", { headers: { "x-api-key": apiKey } })
      const text = JSON.stringify(logs)
      expect(text).toContain('"userId":"erin"')
      expect(text).toContain('"clientId":"fulfilment"')
      expect(text).not.toContain(headers.authorization.slice("Bearer ".length))
      expect(text).not.toContain(apiKey)
    })
  )

  it.effect("the OpenAPI document says which each operation takes", () =>
    Effect.gen(function* () {
      const { get } = yield* TestApp.service(app)
      const document = (yield* get("/openapi.json")).expectStatus(200)
      document.expectJsonMatch({
        components: {
          securitySchemes: {
            "api-key": { in: "header", name: "x-api-key", type: "apiKey" },
            jwt: { bearerFormat: "JWT", scheme: "Bearer", type: "http" }
          }
        },
        paths: {
          "/status": { get: { security: [] } },
          "/v1/me": { get: { responses: { 401: {} }, security: [{ jwt: [] }, { "api-key": [] }] } },
          "/v1/orders": {
            post: {
              responses: { 201: {}, 400: {}, 401: {}, 403: {} },
              security: [{ jwt: ["orders:write"] }, { "api-key": ["orders:write"] }]
            }
          },
          "/v1/orders/{orderId}": { get: { responses: { 200: {}, 401: {}, 404: {} } } },
          "/v1/strings/upper": { get: { security: [] } }
        }
      })
    })
  )
})

describe("the configuration", () => {
  const boot = (auth: object, environment: string) =>
    Effect.flip(Effect.scoped(TestApp.make(app, { config: { auth }, environment })))

  it.live("has no secret by default: a boot without one fails and names what to set", () =>
    Effect.gen(function* () {
      const error = yield* boot({}, "production")
      expect(error).toMatchObject({
        _tag: "ConfigError",
        problems: [{ key: "auth.apiKey" }, { key: "auth.jwtSecret" }]
      })
      expect(error.message).toContain("set the variable JWT_SECRET")
      expect(error.message).toContain("set the variable FULFILMENT_API_KEY")
    })
  )

  it.live("takes no secret that is too short", () =>
    Effect.gen(function* () {
      const error = yield* boot({ apiKey, jwtSecret: "short" }, "production")
      expect(error.message).toContain("the secret has 5 bytes, and HS256 needs at least 32")
    })
  )
})
