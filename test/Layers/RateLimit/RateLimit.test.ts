import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { App, AppRuntime, Catalogue, Config, Plugin, Route } from "flange"
import * as RateLimit from "flange/RateLimit"
import { TestApp } from "flange/Testing"
import { as, DoorApi, make } from "./fixtures.ts"

describe("a limit", () => {
  it.effect("answers a request too many with 429 and when to come again", () =>
    Effect.gen(function* () {
      const { app, ran } = make()
      const test = yield* TestApp.make(app)
      const first = (yield* test.get("/orders", as("ada"))).expectStatus(200)
      first
        .expectHeader("ratelimit", '"default";r=1;t=30')
        .expectHeader("ratelimit-policy", '"default";q=2;w=60')
      ;(yield* test.get("/orders", as("ada"))).expectHeader("ratelimit", '"default";r=0;t=30')
      yield* TestClock.adjust("10 seconds")
      const refused = yield* test.get("/orders", as("ada"))
      refused
        .expectProblem("RATE_LIMITED", 429, { detail: "Too many requests", instance: "/orders" })
        .expectHeader("ratelimit", '"default";r=0;t=20')
        .expectHeader("ratelimit-policy", '"default";q=2;w=60')
        .expectHeader("retry-after", "20")
      assert.deepStrictEqual(ran, ["/orders", "/orders"])
      yield* TestClock.adjust("20 seconds")
      ;(yield* test.get("/orders", as("ada"))).expectStatus(200)
      ;(yield* test.get("/orders", as("ada"))).expectStatus(429)
      yield* TestClock.adjust("1 hour")
      ;(yield* test.get("/orders", as("ada"))).expectHeader("ratelimit", '"default";r=1;t=30')
    })
  )

  it.effect("is off everywhere with rateLimit.enabled or its variable", () =>
    Effect.gen(function* () {
      for (const options of [
        { config: { rateLimit: { enabled: false } } },
        { variables: { RATE_LIMIT_ENABLED: "false" } }
      ]) {
        const test = yield* TestApp.make(make().app, options)
        for (const path of ["/greet", "/orders", "/search"]) {
          for (let request = 0; request < 9; request++) {
            const reply = yield* test.get(path, as("ada"))
            assert.isBelow(reply.status, 400)
            assert.isFalse(reply.headers.has("ratelimit"))
            assert.isFalse(reply.headers.has("ratelimit-policy"))
          }
        }
      }
    })
  )

  it.effect("has short variables", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const Reader = Plugin.make("app:reader", {
        config: [RateLimit.RateLimitConfig],
        ready: () =>
          Effect.map(RateLimit.RateLimitConfig, ({ burst, limit }) => void seen.push(burst, limit))
      })
      yield* TestApp.make(App.make("shop", [RateLimit.plugin, Reader]), {
        variables: { RATE_LIMIT_BURST_SIZE: "7", RATE_LIMIT_REQUESTS_PER_MINUTE: "70" }
      })
      assert.deepStrictEqual(seen, [7, 70])
    })
  )

  it.effect("is each caller's own, over all endpoints, whatever comes of the request", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(make().app)
      ;(yield* test.get("/orders/one", as("ada")))
        .expectProblem("VALIDATION_FAILED", 400)
        .expectHeader("ratelimit", '"default";r=1;t=30')
      ;(yield* test.get("/greet", as("ada"))).expectHeader("ratelimit", '"default";r=0;t=30')
      ;(yield* test.get("/orders", as("ada"))).expectStatus(429)
      ;(yield* test.get("/orders", as("bob"))).expectHeader("ratelimit", '"default";r=1;t=30')
      const anonymous = (yield* test.get("/orders")).expectProblem("UNAUTHENTICATED", 401)
      assert.isFalse(anonymous.headers.has("ratelimit"))
      ;(yield* test.get("/greet")).expectHeader("ratelimit", '"default";r=1;t=30')
    })
  )

  it.effect("of an endpoint has requests of its own, and a burst", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(make().app)
      const reply = yield* test.get("/search", as("ada"))
      reply
        .expectHeader("ratelimit", '"orders.search";r=1;t=10')
        .expectHeader("ratelimit-policy", '"orders.search";q=1;w=10;flange-burst=2')
      ;(yield* test.get("/search", as("ada"))).expectStatus(200)
      ;(yield* test.get("/search", as("ada"))).expectHeader("retry-after", "10")
      ;(yield* test.get("/orders", as("ada"))).expectHeader("ratelimit", '"default";r=1;t=30')
    })
  )

  it.effect("of a group is shared by its endpoints", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(make().app)
      ;(yield* test.get("/reports/sales", as("ada"))).expectStatus(200)
      ;(yield* test.get("/reports/stock", as("ada"))).expectHeader(
        "ratelimit",
        '"reports";r=0;t=1800'
      )
      ;(yield* test.get("/reports/sales", as("ada"))).expectStatus(429)
    })
  )

  it.effect("stands around a public endpoint that asks for it, and no other", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(make().app)
      ;(yield* test.post("/login")).expectHeader("ratelimit-policy", '"door.login";q=1;w=60')
      ;(yield* test.post("/login")).expectProblem("RATE_LIMITED", 429)
      ;(yield* test.post("/reset")).expectHeader("ratelimit", '"default";r=1;t=30')
      for (const path of ["/status", "/alive"]) {
        for (let i = 0; i < 5; i++) {
          const reply = (yield* test.get(path)).expectStatus(200)
          assert.isFalse(reply.headers.has("ratelimit-policy"))
          assert.isFalse(reply.headers.has("ratelimit"))
        }
      }
    })
  )

  it.effect("of a public endpoint stands in the slot RateLimit, behind Logging", () =>
    Effect.gen(function* () {
      const { app } = make()
      assert.deepStrictEqual(
        App.describe(app)
          .routes.find(({ path }) => path === "/login")
          ?.middleware.map(({ name, slot }) => `${slot} ${name}`),
        [
          "TransportSecurity rate-limit-policy",
          "Logging access-log",
          "RateLimit rate-limit",
          "Transaction count"
        ]
      )
      const test = yield* TestApp.make(app)
      for (let i = 0; i < 2; i++) {
        yield* test.post("/login", { headers: { "x-request-id": `r-${i}` } })
      }
      assert.deepStrictEqual(
        test.logs
          .filter(({ annotations }) => annotations["route"] === "/login")
          // On a socket the address and the agent are known.
          .map(
            ({ annotations: { clientIp: _ip, durationMs: _ms, userAgent: _agent, ...fields } }) =>
              fields
          ),
        [200, 429].map((status, i) => ({
          ...(status === 429 ? { code: "RATE_LIMITED" } : {}),
          isPrivileged: false,
          method: "POST",
          path: "/login",
          requestId: `r-${i}`,
          route: "/login",
          status
        }))
      )
    })
  )

  it.effect("is not for endpoints and callers that are exempt", () =>
    Effect.gen(function* () {
      const config = {
        rateLimit: { exempt: ["caller:default:robot", "ip:127.0.0.1", "ip:unknown"] }
      }
      const test = yield* TestApp.make(make().app, { config })
      for (let i = 0; i < 5; i++) {
        const reply = (yield* test.get("/orders", as("robot"))).expectStatus(200)
        assert.isFalse(reply.headers.has("ratelimit"))
        ;(yield* test.post("/login")).expectStatus(200)
        const events = (yield* test.get("/events", as("ada"))).expectStatus(200)
        assert.isFalse(events.headers.has("ratelimit-policy"))
      }
    })
  )

  it.effect("comes from the configuration", () =>
    Effect.gen(function* () {
      const rateLimit = { burst: 3, limit: 600, window: "1 minute" }
      const test = yield* TestApp.make(make().app, { config: { rateLimit } })
      const reply = yield* test.get("/orders", as("ada"))
      reply
        .expectHeader("ratelimit", '"default";r=2;t=1')
        .expectHeader("ratelimit-policy", '"default";q=600;w=60;flange-burst=3')
    })
  )
})

describe("behind a proxy", () => {
  const listening = (trustedProxies: ReadonlyArray<string>) =>
    TestApp.listening(make().app, { config: { server: { trustedProxies } } })

  const via = (address: string) => ({ headers: { "x-forwarded-for": address } })

  it.live("callers without a name are told apart by address, of IPv6 by network", () =>
    Effect.gen(function* () {
      const test = yield* listening(["127.0.0.1"])
      const statuses = (addresses: ReadonlyArray<string>) =>
        Effect.forEach(addresses, (address) =>
          Effect.map(test.post("/login", via(address)), ({ status }) => status)
        )
      assert.deepStrictEqual(
        yield* statuses(["198.51.100.7", "198.51.100.7", "198.51.100.8"]),
        [200, 429, 200]
      )
      assert.deepStrictEqual(
        yield* statuses(["2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1"]),
        [200, 429, 200]
      )
    })
  )

  it.live("what a client itself writes into a header is not believed", () =>
    Effect.gen(function* () {
      const test = yield* listening([])
      ;(yield* test.post("/login", via("198.51.100.7"))).expectStatus(200)
      ;(yield* test.post("/login", via("198.51.100.8"))).expectStatus(429)
    })
  )
})

describe("the contract", () => {
  it.effect("has 429 on every limited endpoint, in OpenAPI", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(make().app)
      const { api } = yield* test.run(AppRuntime)
      const { paths } = OpenApi.fromApi(api)
      const limited = Object.entries(paths).flatMap(([path, { get, post }]) =>
        [get, post].some((operation) => operation?.responses[429] !== undefined) ? [path] : []
      )
      assert.sameMembers(limited, [
        // It has no limit of requests, but one of wrong credentials.
        "/events",
        "/greet",
        "/login",
        "/orders",
        "/orders/{id}",
        "/reports/sales",
        "/reports/stock",
        "/reset",
        "/search"
      ])
      const refused = paths["/search"]?.get?.responses[429]
      assert.containsSubset(refused, { headers: { "retry-after": { required: true } } })
    })
  )

  it.effect("gives the client the error where it says Limited", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(make().app)
      yield* test.client.door.reset()
      yield* test.client.door.reset()
      const error = yield* Effect.flip(test.client.door.reset())
      assert.instanceOf(error, Catalogue.RateLimited)
    })
  )

  it("that says Limited does not compile in an app that limits nothing", () => {
    const ok = () => Effect.succeed("ok")
    const Door = Plugin.make("app:door", {
      routes: [
        Route.public(DoorApi, (handlers) =>
          handlers.handleAll({ login: ok, reset: ok, status: ok })
        )
      ]
    })
    // @ts-expect-error no plugin provides Limited
    const app = App.make("shop", [Door])
    assert.strictEqual(app.id, "shop")
  })

  it.effect("that says an impossible limit is refused at boot", () =>
    Effect.gen(function* () {
      class WrongApi extends HttpApiGroup.make("wrong").add(
        HttpApiEndpoint.get("none", "/none").annotate(RateLimit.RatePolicy, {
          limit: 0,
          window: "1 minute"
        })
      ) {}
      const Wrong = Plugin.make("app:wrong", {
        routes: [
          Route.public(WrongApi, (handlers) => handlers.handleAll({ none: () => Effect.void }))
        ]
      })
      const exit = yield* Effect.exit(
        Effect.scoped(TestApp.make(App.make("wrong", [RateLimit.plugin, Wrong])))
      )
      assert.isTrue(Exit.isFailure(exit))
      assert.include(
        Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : "",
        'has the rate limit "wrong.none" of 0 requests in 60000 ms'
      )
    })
  )
})

describe("the store", () => {
  const replaced = (store: RateLimit.Shape) =>
    Layer.merge(
      Layer.succeed(RateLimit.Store, store),
      Layer.succeed(RateLimit.Limited, (next) => next)
    )

  const outage = Effect.fail(new RateLimit.RateLimitStoreError({ cause: "down" }))

  it.effect("that is down lets requests pass, and is warned of once a minute", () =>
    Effect.gen(function* () {
      let asked = 0
      const store = { take: () => Effect.suspend(() => (asked++, outage)) }
      const test = yield* TestApp.make(make().app, {
        replace: [[RateLimit.plugin, replaced(store)]]
      })
      for (let second = 0; second < 61; second++) {
        for (let i = 0; i < 3; i++) {
          const reply = (yield* test.get("/orders", as("ada"))).expectStatus(200)
          assert.isFalse(reply.headers.has("ratelimit"))
        }
        yield* TestClock.adjust("1 second")
      }
      // A store that failed is left alone for a second.
      assert.strictEqual(asked, 61)
      assert.strictEqual(
        test.logs.filter(
          ({ level, message }) =>
            level === "Warn" && message.includes("requests are not limited (rateLimit.onOutage)")
        ).length,
        2
      )
    })
  )

  it.effect("that is down refuses requests with onOutage = closed, and no others", () =>
    Effect.gen(function* () {
      let isDown = true
      const memory = RateLimit.memory({ maxKeys: 10 })
      const store: RateLimit.Shape = { take: (takes) => (isDown ? outage : memory.take(takes)) }
      const test = yield* TestApp.make(make().app, {
        config: { rateLimit: { exempt: ["caller:default:robot"], onOutage: "closed" } },
        replace: [[RateLimit.plugin, replaced(store)]]
      })
      for (let i = 0; i < 3; i++) {
        ;(yield* test.get("/orders", as("ada")))
          .expectProblem("SERVICE_UNAVAILABLE", 503)
          .expectHeader("retry-after", "1")
          .expectHeader("ratelimit-policy", '"default";q=2;w=60')
      }
      ;(yield* test.get("/orders", as("robot"))).expectStatus(200)
      ;(yield* test.get("/status")).expectStatus(200)
      isDown = false
      yield* TestClock.adjust("1 second")
      ;(yield* test.get("/orders", as("ada"))).expectStatus(200)
      assert.isTrue(test.logs.some(({ message }) => message.includes("decides again")))
    })
  )

  it.effect("that does not answer is waited for as long as rateLimit.timeout", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      const take = () => Effect.andThen(Deferred.succeed(asked, undefined), Effect.never)
      const test = yield* TestApp.make(make().app, {
        config: { rateLimit: { timeout: "2 seconds" } },
        replace: [[RateLimit.plugin, replaced({ take })]]
      })
      const fiber = yield* Effect.forkChild(test.get("/orders", as("ada")))
      yield* Deferred.await(asked)
      yield* TestClock.adjust("1999 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      ;(yield* Fiber.join(fiber)).expectStatus(200)
      // The next ones do not wait.
      ;(yield* test.get("/orders", as("ada"))).expectStatus(200)
    })
  )

  it.effect("is not asked for a public route without a limit, or for no route", () =>
    Effect.gen(function* () {
      const asked: Array<string> = []
      const memory = RateLimit.memory({ maxKeys: 10 })
      const store: RateLimit.Shape = {
        take: (takes) => {
          asked.push(...takes.map(({ name }) => name))
          return memory.take(takes)
        }
      }
      const test = yield* TestApp.make(make().app, {
        replace: [[RateLimit.plugin, replaced(store)]]
      })
      for (const path of ["/status", "/alive", "/nowhere"]) yield* test.get(path)
      assert.deepStrictEqual(asked, [])
      ;(yield* test.post("/login")).expectStatus(200)
      ;(yield* test.post("/login")).expectStatus(429)
      assert.deepStrictEqual(asked, ["door.login", "door.login"])
    })
  )

  it.effect("is refused a configuration that is none", () =>
    Effect.gen(function* () {
      const refused = (rateLimit: object) =>
        Effect.map(Effect.flip(TestApp.make(make().app, { config: { rateLimit } })), (error) => {
          assert.instanceOf(error, Config.ConfigError)
          return error.problems.map(({ key }) => key)
        })
      assert.deepStrictEqual(
        yield* refused({ maxKeys: 1, onOutage: "ajar", timeout: 0, window: 0 }),
        ["rateLimit.maxKeys", "rateLimit.onOutage", "rateLimit.timeout", "rateLimit.window"]
      )
      assert.deepStrictEqual(yield* refused({ window: "367 days" }), ["rateLimit.window"])
      assert.deepStrictEqual(yield* refused({ algorithm: "sliding-window", burst: 3 }), [
        "rateLimit.burst"
      ])
      for (const key of [
        "ada",
        "caller:ada",
        "ip:2001:db8::1",
        "ip:203.0.113.0/24",
        "ip:::ffff:203.0.113.7",
        "ip:64:ff9b::/64"
      ]) {
        assert.deepStrictEqual(yield* refused({ exempt: [key] }), ["rateLimit.exempt.0"], key)
      }
      assert.deepStrictEqual(yield* refused({ exempt: ["tenant:acme"] }), ["rateLimit.exempt"])
    })
  )

  it.effect("in memory is warned of if there are several replicas", () =>
    Effect.gen(function* () {
      for (const [replicas, count] of [
        [1, 0],
        [3, 1]
      ]) {
        const test = yield* TestApp.make(make().app, { config: { app: { replicas } } })
        assert.strictEqual(
          test.logs.filter(({ message }) => message.includes("up to 3 times the limits")).length,
          count
        )
      }
    })
  )

  it.effect("in Redis is refused by a plugin without Redis", () =>
    Effect.gen(function* () {
      const config = { rateLimit: { backend: "redis" } }
      const error = yield* Effect.flip(TestApp.make(make().app, { config }))
      assert.instanceOf(error, RateLimit.RateLimitBackendError)
    })
  )
})
