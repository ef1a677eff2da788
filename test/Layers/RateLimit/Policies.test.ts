/** Several policies, costs, extractors of keys, and what is refused before the start. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { App, AppRuntime, AssemblyError, Config, CurrentIdentity, Plugin, Route } from "flange"
import * as Auth from "flange/Auth"
import { RateCost, RatePolicy } from "flange/Contract"
import * as Cors from "flange/Cors"
import * as RateLimit from "flange/RateLimit"
import { TestApp } from "flange/Testing"
import { of as lockOf } from "../../../src/Cli/Routes/Lock.ts"
import { as, token } from "./fixtures.ts"

const success = Schema.String
const window = "1 minute"

class ShopApi extends HttpApiGroup.make("shop").add(
  HttpApiEndpoint.get("both", "/both", { success }).annotate(RatePolicy, [
    { limit: 10, name: "often", window },
    { algorithm: "sliding-window", limit: 2, name: "day", window: "1 day" }
  ]),
  HttpApiEndpoint.get("dear", "/dear", { success }).annotate(RateCost, 4),
  HttpApiEndpoint.post("enter", "/enter", { success }).annotate(RatePolicy, [
    { by: "address", limit: 3, name: "address", window },
    { limit: 2, name: "caller", window }
  ]),
  HttpApiEndpoint.get("plain", "/plain", { success }),
  HttpApiEndpoint.get("tenant", "/tenant", { success }).annotate(RatePolicy, {
    by: "tenant",
    limit: 1,
    window
  })
) {}

const ok = () => Effect.succeed("ok")

const Shop = Plugin.make("app:shop", {
  contributes: [
    RateLimit.key(
      "tenant",
      Effect.succeed((request) => {
        const tenant = request.find(CurrentIdentity)?.attributes["tenant"]
        return typeof tenant === "string" ? tenant : undefined
      })
    )
  ],
  routes: [
    Route.protected(ShopApi, (handlers) =>
      handlers.handleAll({ both: ok, dear: ok, enter: ok, plain: ok, tenant: ok })
    )
  ]
})

const AuthPlugin = Auth.plugin({
  default: Auth.chain([
    Auth.bearer(
      [
        { attributes: { tenant: "acme" }, subject: "ada" },
        { attributes: { tenant: "acme" }, subject: "bob" },
        { subject: "eve" }
      ].map((identity) => ({ identity, token: Redacted.make(token(identity.subject)) }))
    )
  ])
})

const app = App.make("shop", [Cors.plugin, RateLimit.plugin, AuthPlugin, Shop], {
  config: {
    values: { cors: { origins: ["https://shop.example"] }, rateLimit: { limit: 10, window } }
  }
})

describe("several policies", () => {
  it.effect("have to be satisfied all, and a refused request is counted by none", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(app)
      const ask = test.get("/both", as("ada"))
      ;(yield* ask)
        .expectHeader(
          "ratelimit-policy",
          '"shop.both.often";q=10;w=60, "shop.both.day";q=2;w=86400'
        )
        .expectHeader("ratelimit", '"shop.both.often";r=9;t=6, "shop.both.day";r=1;t=86400')
      yield* ask
      for (let i = 0; i < 20; i++) {
        ;(yield* ask)
          .expectProblem("RATE_LIMITED", 429)
          .expectHeader("ratelimit", '"shop.both.often";r=8;t=6, "shop.both.day";r=0;t=86400')
          .expectHeader("retry-after", "86400")
      }
      yield* TestClock.adjust("1 day")
      ;(yield* ask).expectHeader(
        "ratelimit",
        '"shop.both.often";r=9;t=6, "shop.both.day";r=1;t=86400'
      )
    })
  )

  it.effect("by address are checked before authentication, the others behind it", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(app)
      ;(yield* test.post("/enter"))
        .expectProblem("UNAUTHENTICATED", 401)
        .expectHeader("ratelimit", '"shop.enter.address";r=2;t=20')
      ;(yield* test.post("/enter", as("ada")))
        .expectStatus(200)
        .expectHeader("ratelimit", '"shop.enter.address";r=1;t=20, "shop.enter.caller";r=1;t=30')
      yield* test.post("/enter", as("nobody"))
      for (const options of [{}, as("ada"), as("nobody")]) {
        ;(yield* test.post("/enter", options))
          .expectProblem("RATE_LIMITED", 429)
          .expectHeader("ratelimit", '"shop.enter.address";r=0;t=20')
          .expectHeader("retry-after", "20")
      }
      assert.deepStrictEqual(
        App.describe(app)
          .routes.find(({ path }) => path === "/enter")
          ?.middleware.map(({ name, slot }) => `${slot} ${name}`)
          .filter((name) => !name.includes("cors")),
        [
          "TransportSecurity rate-limit-policy",
          "Logging rate-limit-by-address",
          "Authentication authentication",
          "RateLimit rate-limit"
        ]
      )
    })
  )
})

it.effect("a cost takes so many requests, and Retry-After waits for all of them", () =>
  Effect.gen(function* () {
    const test = yield* TestApp.make(app)
    ;(yield* test.get("/dear", as("ada"))).expectHeader("ratelimit", '"default";r=6;t=6')
    ;(yield* test.get("/dear", as("ada"))).expectHeader("ratelimit", '"default";r=2;t=6')
    ;(yield* test.get("/dear", as("ada")))
      .expectStatus(429)
      .expectHeader("ratelimit", '"default";r=2;t=6')
      .expectHeader("retry-after", "12")
    ;(yield* test.get("/plain", as("ada"))).expectHeader("ratelimit", '"default";r=1;t=6')
    yield* TestClock.adjust("17 seconds")
    ;(yield* test.get("/dear", as("ada"))).expectHeader("retry-after", "1")
    yield* TestClock.adjust("1 second")
    ;(yield* test.get("/dear", as("ada"))).expectStatus(200)
  })
)

describe("a key of the app", () => {
  it.effect("counts its callers together, and others by caller", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(app)
      ;(yield* test.get("/tenant", as("ada"))).expectStatus(200)
      ;(yield* test.get("/tenant", as("bob"))).expectStatus(429)
      ;(yield* test.get("/tenant", as("eve"))).expectStatus(200)
      ;(yield* test.get("/tenant", as("eve"))).expectStatus(429)
    })
  )

  it.effect("can be exempt", () =>
    Effect.gen(function* () {
      const config = { rateLimit: { exempt: ["tenant:acme"] } }
      const test = yield* TestApp.make(app, { config })
      for (const [name, status] of [
        ["ada", 200],
        ["bob", 200],
        ["eve", 200],
        ["eve", 429]
      ] as const) {
        ;(yield* test.get("/tenant", as(name))).expectStatus(status)
      }
    })
  )
})

it.effect("HEAD counts as GET does, and OPTIONS and preflights do not count", () =>
  Effect.gen(function* () {
    const test = yield* TestApp.make(app)
    ;(yield* test.request("HEAD", "/plain", as("ada"))).expectHeader(
      "ratelimit",
      '"default";r=9;t=6'
    )
    const preflight = {
      headers: {
        "access-control-request-method": "GET",
        origin: "https://shop.example",
        ...as("ada").headers
      }
    }
    for (const options of [preflight, as("ada")]) {
      const reply = yield* test.request("OPTIONS", "/plain", options)
      assert.isFalse(reply.headers.has("ratelimit"))
    }
    ;(yield* test.get("/plain", as("ada"))).expectHeader("ratelimit", '"default";r=8;t=6')
  })
)

describe("the documents", () => {
  it.effect("have 429 with its headers in OpenAPI", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(app)
      const { api } = yield* test.run(AppRuntime)
      const { headers } = OpenApi.fromApi(api).paths["/both"]!.get!.responses[429]!
      assert.sameMembers(Object.keys(headers!), ["ratelimit", "ratelimit-policy", "retry-after"])
    })
  )

  it("have each limit in the table of routes and in its lock", () => {
    const description = App.describe(app)
    const table = App.routesTable(description)
    for (const text of [
      "rate 10/1m, rate 2/1d",
      "rate cost 4",
      "rate 3/1m by address, rate 2/1m",
      "rate 1/1m by tenant"
    ]) {
      assert.include(table, text)
    }
    const { routes } = lockOf(description)
    assert.deepStrictEqual(routes["GET /dear"]?.rateLimit, { cost: 4, name: "default" })
    assert.deepStrictEqual(routes["GET /both"]?.rateLimits, [
      { burst: 10, limit: 10, name: "shop.both.often", window: 60_000 },
      {
        algorithm: "sliding-window",
        burst: 2,
        limit: 2,
        name: "shop.both.day",
        window: 86_400_000
      }
    ])
  })
})

describe("a contract is refused", () => {
  const refused = (
    policy: RateLimit.Policy | ReadonlyArray<RateLimit.Policy> | undefined,
    { cost = 1, route = Route.public as typeof Route.bare | typeof Route.public } = {}
  ) => {
    const endpoint = HttpApiEndpoint.get("none", "/none", { success }).annotate(RateCost, cost)
    class WrongApi extends HttpApiGroup.make("wrong").add(
      policy === undefined
        ? endpoint.middleware(RateLimit.Limited)
        : endpoint.annotate(RatePolicy, policy)
    ) {}
    const Wrong = Plugin.make("app:wrong", {
      routes: [route(WrongApi, (handlers) => handlers.handleAll({ none: ok }))]
    })
    return Effect.flip(TestApp.make(App.make("wrong", [RateLimit.plugin, Wrong]))).pipe(
      Effect.map((error) => (error instanceof AssemblyError ? error.message : String(error)))
    )
  }

  for (const [name, policy, text] of [
    ["a limit of 0", { limit: 0, window }, "limit and burst are whole numbers from 1"],
    ["half a request", { limit: 0.5, window }, "limit and burst are whole numbers from 1"],
    ["a burst of 0", { burst: 0, limit: 1, window }, "limit and burst are whole numbers from 1"],
    ["a window without an end", { limit: 1, window: "Infinity" }, "a window is from"],
    ["a window of no time", { limit: 1, window: 0 }, "a window is from"],
    [
      "a sliding window with a burst",
      { algorithm: "sliding-window", burst: 2, limit: 1, window },
      "only a token bucket has one"
    ],
    ["a key that nobody extracts", { by: "tenant", limit: 1, window }, 'RateLimit.key("tenant"'],
    [
      "two policies with one name",
      [
        { limit: 1, window },
        { limit: 9, window: "1 hour" }
      ],
      'two rate limits with the name "wrong.none"'
    ]
  ] as ReadonlyArray<
    readonly [string, RateLimit.Policy | ReadonlyArray<RateLimit.Policy>, string]
  >) {
    it.effect(`for ${name}`, () =>
      Effect.map(Effect.scoped(refused(policy)), (message) => assert.include(message, text))
    )
  }

  it.effect("for a cost above the limit of the configuration", () =>
    Effect.gen(function* () {
      const config = { rateLimit: { burst: 3 } }
      const error = yield* Effect.flip(Effect.scoped(TestApp.make(app, { config })))
      assert.instanceOf(error, Config.ConfigError)
      assert.deepStrictEqual(
        error.problems.map(({ expected, key }) => `${key}: ${expected}`),
        ["rateLimit.burst: a number from 4"]
      )
      assert.include(
        error.message,
        'The route "GET /dear" has RateCost 4, and the limit of the configuration allows 3'
      )
      yield* TestApp.make(app, { config: { rateLimit: { burst: 3, enabled: false } } })
    })
  )

  it.effect("for two policies of two endpoints with one name", () =>
    Effect.gen(function* () {
      const policy = (limit: number, name?: string): RateLimit.Policy => ({
        limit,
        window,
        ...(name === undefined ? {} : { name })
      })
      class OneApi extends HttpApiGroup.make("one")
        .add(
          HttpApiEndpoint.get("list", "/list", { success }).annotate(RatePolicy, policy(1)),
          HttpApiEndpoint.get("read", "/read", { success })
        )
        .annotate(RatePolicy, policy(9, "list")) {}
      const One = Plugin.make("app:one", {
        routes: [Route.public(OneApi, (handlers) => handlers.handleAll({ list: ok, read: ok }))]
      })
      const error = yield* Effect.flip(TestApp.make(App.make("one", [RateLimit.plugin, One])))
      assert.include(String(error), 'has a rate limit with the name "one.list", and GET /list')
    })
  )

  it.effect("for a policy with the name of the limit of the configuration", () =>
    Effect.gen(function* () {
      class DefaultApi extends HttpApiGroup.make("default")
        .add(
          HttpApiEndpoint.get("list", "/list", { success }),
          HttpApiEndpoint.get("read", "/read", { success })
        )
        .annotate(RatePolicy, { limit: 1, window }) {}
      class OtherApi extends HttpApiGroup.make("other").add(
        HttpApiEndpoint.get("other", "/other", { success }).middleware(RateLimit.Limited)
      ) {}
      const One = Plugin.make("app:one", {
        routes: [
          Route.public(DefaultApi, (handlers) => handlers.handleAll({ list: ok, read: ok })),
          Route.public(OtherApi, (handlers) => handlers.handleAll({ other: ok }))
        ]
      })
      const error = yield* Effect.flip(TestApp.make(App.make("one", [RateLimit.plugin, One])))
      assert.include(String(error), 'with the name "default"')
    })
  )

  it.effect("for an extractor that two plugins contribute", () =>
    Effect.gen(function* () {
      const Other = Plugin.make("app:other", {
        contributes: [
          RateLimit.key(
            "tenant",
            Effect.succeed(() => undefined)
          )
        ]
      })
      const both = App.make("shop", [RateLimit.plugin, AuthPlugin, Shop, Other])
      const error = yield* Effect.flip(TestApp.make(both))
      assert.include(String(error), "is contributed by app:shop and app:other")
    })
  )

  it.effect("for a cost that never passes, or is none", () =>
    Effect.gen(function* () {
      assert.include(
        yield* refused({ burst: 2, limit: 9, window }, { cost: 3 }),
        "no request could ever pass: at most 2 are possible at once"
      )
      assert.include(yield* refused({ limit: 9, window }, { cost: 0 }), "has RateCost 0")
    }).pipe(Effect.scoped)
  )

  it.effect("for a limit without middleware", () =>
    Effect.map(Effect.scoped(refused({ limit: 9, window }, { route: Route.bare })), (message) =>
      assert.include(message, "in a group of Route.bare")
    )
  )
})
