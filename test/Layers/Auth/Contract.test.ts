import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import type * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { App, Authentication, Catalogue, CurrentIdentity, Middleware, Plugin, Route } from "flange"
import * as Auth from "flange/Auth"
import { MockAuth } from "flange/Auth/Testing"
import { TestApp } from "flange/Testing"
import * as Guard from "../../../src/Contract/Guard.ts"
import { OrdersPlugin, SameTenant, StatusPlugin } from "./fixtures.ts"

const { Policy } = Auth

const appAs = (auth: MockAuth.MockAuth) => {
  const audit = Auth.AuditLog.memory()
  return { app: App.make("orders", [audit.plugin, auth, StatusPlugin, OrdersPlugin]), audit }
}

const order = { json: { item: "tea" } }

const places = [
  ["in memory", TestApp.make],
  ["through a socket", TestApp.listening]
] as const

describe.each(places)("guards %s", (_place, boot) => {
  const table: ReadonlyArray<
    readonly [method: string, path: string, as: Parameters<typeof MockAuth.as>[1], status: number]
  > = [
    ["POST", "/orders", { scopes: ["orders:write"] }, 200],
    ["POST", "/orders", { scopes: ["orders:read"] }, 403],
    ["POST", "/orders", {}, 403],
    ["GET", "/orders", { scopes: ["orders:read"] }, 200],
    ["GET", "/orders", { scopes: ["orders:write"] }, 200],
    ["GET", "/orders", { scopes: ["orders"] }, 403],
    ["GET", "/jobs", { isServiceAccount: true }, 200],
    ["GET", "/jobs", { isPrivileged: true }, 403],
    ["GET", "/admin", { isPrivileged: true }, 200],
    ["GET", "/admin", { isServiceAccount: true }, 403],
    ["GET", "/tenants/acme", { attributes: { tenant: "acme" } }, 200],
    ["GET", "/tenants/acme", { attributes: { tenant: "other" } }, 403],
    ["GET", "/me", {}, 200],
    ["GET", "/status", {}, 200]
  ]
  for (const [method, path, as, status] of table) {
    it.live(`${method} ${path} as ${JSON.stringify(as)} answers ${status}`, () =>
      Effect.gen(function* () {
        const { app, audit } = appAs(MockAuth.as("ada", as))
        const test = yield* boot(app)
        const reply = yield* test.request(method, path, method === "POST" ? order : {})
        reply.expectStatus(status)
        if (status === 403) {
          reply.expectProblem("FORBIDDEN", 403, { detail: "You are not allowed to do this" })
          assert.deepStrictEqual(
            audit.events.map(({ outcome, subject }) => [outcome, subject]),
            [
              ["success", "ada"],
              ["denied", "ada"]
            ]
          )
          assert.notInclude(reply.text, audit.events[1]?.reason ?? "no reason")
        }
      })
    )
  }

  it.live("come before the body is looked at, and authentication before both", () =>
    Effect.gen(function* () {
      const bad = { json: { item: 7 } }
      const anonymous = yield* boot(appAs(MockAuth.anonymous()).app)
      ;(yield* anonymous.post("/orders", bad)).expectStatus(401)
      const reader = yield* boot(appAs(MockAuth.as("ada")).app)
      ;(yield* reader.post("/orders", bad)).expectStatus(403)
      const writer = yield* boot(appAs(MockAuth.as("ada", { scopes: ["orders:write"] })).app)
      ;(yield* writer.post("/orders", bad)).expectProblem("VALIDATION_FAILED", 400)
    })
  )

  it.live("come after authentication in whatever order they were added", () =>
    Effect.gen(function* () {
      const success = Schema.String
      class MixedApi extends HttpApiGroup.make("mixed")
        .add(
          // Authentication innermost: `Route.protected` adds it to the endpoint a second time.
          HttpApiEndpoint.get("first", "/first", { success })
            .middleware(Authentication.Default)
            .middleware(Auth.requireScopes("a")),
          HttpApiEndpoint.get("last", "/last", { success }).middleware(Auth.requireScopes("a"))
        )
        .middleware(Auth.requireAnyScope("b")) {}
      const who = () => CurrentIdentity.useSync(({ subject }) => subject)
      const MixedPlugin = Plugin.make("app:mixed", {
        routes: [
          Route.protected(MixedApi, (handlers) => handlers.handleAll({ first: who, last: who }))
        ]
      })
      const statuses = (auth: MockAuth.MockAuth) =>
        Effect.gen(function* () {
          const test = yield* boot(App.make("mixed", [auth, MixedPlugin]))
          return [(yield* test.get("/first")).status, (yield* test.get("/last")).status]
        })
      assert.deepStrictEqual(
        yield* statuses(MockAuth.as("ada", { scopes: ["a", "b"] })),
        [200, 200]
      )
      assert.deepStrictEqual(yield* statuses(MockAuth.as("ada", { scopes: ["a"] })), [403, 403])
      assert.deepStrictEqual(yield* statuses(MockAuth.as("ada", { scopes: ["b"] })), [403, 403])
      assert.deepStrictEqual(yield* statuses(MockAuth.anonymous()), [401, 401])
    })
  )
})

describe("an endpoint of an optional group that authenticates itself", () => {
  it.live("lets nobody pass without credentials", () =>
    Effect.gen(function* () {
      class SecretApi extends HttpApiGroup.make("secret").add(
        HttpApiEndpoint.get("open", "/open", { success: Schema.String }),
        HttpApiEndpoint.get("secret", "/secret", { success: Schema.String }).middleware(
          Authentication.Default
        )
      ) {}
      const SecretPlugin = Plugin.make("app:secret", {
        routes: [
          Route.optional(SecretApi, (handlers) =>
            handlers.handleAll({
              open: () => Effect.succeed("open"),
              secret: () => Effect.succeed("secret")
            })
          )
        ]
      })
      for (const boot of [TestApp.make, TestApp.listening]) {
        const anonymous = yield* boot(App.make("secret", [MockAuth.anonymous(), SecretPlugin]))
        ;(yield* anonymous.get("/open")).expectJson("open")
        ;(yield* anonymous.get("/secret")).expectProblem("UNAUTHENTICATED", 401)
        const ada = yield* boot(App.make("secret", [MockAuth.as("ada"), SecretPlugin]))
        ;(yield* ada.get("/secret")).expectJson("secret")
      }
    })
  )
})

describe("a guard", () => {
  const decisionOf = (key: object) => {
    const decision = Guard.decisionOf(key)
    assert.isDefined(decision)
    return decision
  }

  it("is a middleware key that holds its decision, which needs no server", () => {
    const key = Auth.requireScopes("a", "b")
    assert.isFalse(Context.isReference(key))
    assert.deepStrictEqual(
      [...(key as unknown as HttpApiMiddleware.AnyService).error],
      [Catalogue.Unauthenticated, Catalogue.Forbidden]
    )
    const { decide, scopes } = decisionOf(key)
    assert.deepStrictEqual(scopes, { match: "all", scopes: ["a", "b"] })
    const input = (...granted: ReadonlyArray<string>): Guard.Input => ({
      action: "list",
      identity: Auth.identity({ scopes: granted, subject: "ada" }),
      request: HttpServerRequest.fromWeb(new Request("http://localhost/")),
      resource: { group: "orders", params: {} }
    })
    assert.isUndefined(decide(input("a", "b")))
    assert.deepStrictEqual(decide(input("a")), { reason: "The caller lacks b", scope: "b" })
  })

  it("is also a policy with a rule, but not a policy that some plugin implements", () => {
    assert.isDefined(Guard.decisionOf(SameTenant))
    assert.isUndefined(Guard.decisionOf(Policy.declare("own-note")))
  })
})

describe("scopes", () => {
  it("are checked when a guard is made", () => {
    assert.throws(() => Auth.requireScopes("orders:write orders:read"), /as its own argument/)
    assert.throws(() => Auth.requireScopes('a"\r\nx: y'), /is no scope/)
    assert.throws(() => Auth.requireScopes(...([] as unknown as [string])), /at least one scope/)
  })

  it.live("that are missing stand in the challenge of a chain of bearer tokens", () =>
    Effect.gen(function* () {
      const chain = Auth.chain([
        Auth.backend({
          authenticate: () => Effect.succeed(Auth.identity({ subject: "ada" })),
          name: "any",
          scheme: Auth.bearer([]).scheme
        })
      ])
      const app = App.make("orders", [Auth.plugin({ default: chain }), OrdersPlugin])
      const test = yield* TestApp.make(app)
      ;(yield* test.post("/orders", order))
        .expectStatus(403)
        .expectHeader(
          "www-authenticate",
          'Bearer realm="api", error="insufficient_scope", scope="orders:write"'
        )
    })
  )
})

describe("the client", () => {
  it.live("gets 401 and 403 as classes", () =>
    Effect.gen(function* () {
      const anonymous = yield* TestApp.make(appAs(MockAuth.anonymous()).app)
      const unauthenticated = yield* Effect.flip(
        anonymous.client.orders.create({ payload: { item: "tea" } })
      )
      assert.instanceOf(unauthenticated, Catalogue.Unauthenticated)
      const reader = yield* TestApp.make(appAs(MockAuth.as("ada")).app)
      const forbidden = yield* Effect.flip(
        reader.client.orders.create({ payload: { item: "tea" } })
      )
      assert.instanceOf(forbidden, Catalogue.Forbidden)
    })
  )
})

describe("policies", () => {
  class Owners extends Context.Service<
    Owners,
    { readonly ownerOf: (id: string) => Effect.Effect<string> }
  >()("app/Owners") {
    static readonly layer = Layer.succeed(Owners, {
      ownerOf: (id) => Effect.succeed(id === "1" ? "ada" : "bob")
    })
  }
  const OwnNote = Policy.declare("own-note")
  const Staff = Policy.roles("staff", {
    permissions: { boss: ["*"], clerk: ["list"] },
    rolesOf: ({ attributes }) => (Array.isArray(attributes["roles"]) ? attributes["roles"] : [])
  })
  const success = Schema.String
  class NotesApi extends HttpApiGroup.make("notes")
    .add(
      HttpApiEndpoint.get("list", "/notes", { success }),
      HttpApiEndpoint.get("read", "/notes/:id", {
        params: { id: Schema.String },
        success
      }).middleware(OwnNote)
    )
    .middleware(Staff) {}
  const implementation = Policy.implement(
    OwnNote,
    Effect.fnUntraced(function* ({ action, identity, request, resource }) {
      assert.deepStrictEqual([action, resource.group, request.method], ["read", "notes", "GET"])
      const { ownerOf } = yield* Owners
      return (yield* ownerOf(resource.params["id"] ?? "")) === identity.subject
        ? Policy.allow
        : Policy.deny("not the owner")
    })
  )
  const NotesPlugin = Plugin.make("app:notes", {
    layer: Layer.provideMerge(implementation, Owners.layer),
    provides: [Owners, OwnNote],
    routes: [
      Route.protected(NotesApi, (handlers) =>
        handlers.handleAll({ list: () => Effect.succeed("all"), read: () => Effect.succeed("one") })
      )
    ]
  })
  const statuses = (subject: string, roles: ReadonlyArray<string>) =>
    Effect.gen(function* () {
      const auth = MockAuth.as(subject, { attributes: { roles } })
      const test = yield* TestApp.make(App.make("notes", [auth, NotesPlugin]))
      return [
        (yield* test.get("/notes")).status,
        (yield* test.get("/notes/1")).status,
        (yield* test.get("/notes/2")).status
      ]
    })

  it.live("decide by role and by resource, on groups and endpoints", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* statuses("ada", ["boss"]), [200, 200, 403])
      assert.deepStrictEqual(yield* statuses("ada", ["clerk"]), [200, 403, 403])
      assert.deepStrictEqual(yield* statuses("ada", ["constructor"]), [403, 403, 403])
      assert.deepStrictEqual(yield* statuses("ada", []), [403, 403, 403])
    })
  )

  it.live("of a plugin may decide at once", () =>
    Effect.gen(function* () {
      const Lunch = Policy.declare("lunch")
      class LunchApi extends HttpApiGroup.make("lunch").add(
        HttpApiEndpoint.get("read", "/lunch", { success }).middleware(Lunch)
      ) {}
      const LunchPlugin = Plugin.make("app:lunch", {
        layer: Policy.implement(Lunch, ({ identity }) =>
          identity.subject === "ada" ? Policy.allow : Policy.deny("not hungry")
        ),
        provides: [Lunch],
        routes: [
          Route.protected(LunchApi, (handlers) =>
            handlers.handleAll({ read: () => Effect.succeed("soup") })
          )
        ]
      })
      const statusAs = (subject: string) =>
        Effect.gen(function* () {
          const test = yield* TestApp.make(App.make("lunch", [MockAuth.as(subject), LunchPlugin]))
          return (yield* test.get("/lunch")).status
        })
      assert.deepStrictEqual([yield* statusAs("ada"), yield* statusAs("bob")], [200, 403])
    })
  )

  it.live("that break let nobody pass", () =>
    Effect.gen(function* () {
      const Broken = Policy.make("broken", () => {
        throw new Error("s3cret")
      })
      class BrokenApi extends HttpApiGroup.make("broken").add(
        HttpApiEndpoint.get("read", "/broken", { success }).middleware(Broken)
      ) {}
      const BrokenPlugin = Plugin.make("app:broken", {
        routes: [
          Route.protected(BrokenApi, (handlers) =>
            handlers.handleAll({ read: () => Effect.succeed("passed") })
          )
        ]
      })
      const test = yield* TestApp.make(App.make("broken", [MockAuth.as("ada"), BrokenPlugin]))
      const reply = yield* test.get("/broken")
      reply.expectProblem("INTERNAL_ERROR", 500)
      assert.notInclude(reply.text, "s3cret")
    })
  )

  it.live("give reasons that reach the audit clean and short, and never the client", () =>
    Effect.gen(function* () {
      const { app, audit } = appAs(MockAuth.as("ada"))
      const test = yield* TestApp.make(app)
      const nasty = encodeURIComponent(`x\r\nlevel=info\u001b[31m\u2028\u202e${"é".repeat(600)}`)
      const reply = yield* test.get(`/tenants/${nasty}`)
      reply.expectProblem("FORBIDDEN", 403)
      const reason = audit.events.at(-1)?.reason ?? ""
      assert.match(reason, /^not of tenant xlevel=info\[31mé+$/)
      assert.isAtMost(Buffer.byteLength(reason), 512)
      assert.isAtLeast(Buffer.byteLength(reason), 500)
    })
  )
})

describe("slots", () => {
  const seen: Array<string | undefined> = []
  const Limits = Plugin.make("app:limits", {
    middleware: [
      Middleware.make("limits", {
        build: Effect.succeed(
          () => (next) =>
            Effect.flatMap(Authentication.CurrentCaller, (caller) => {
              seen.push(caller?.identity?.subject)
              return next
            })
        ),
        slot: "RateLimit"
      })
    ]
  })

  it.live("behind Authentication know the caller, and do not run for one that is refused", () =>
    Effect.gen(function* () {
      const known = yield* TestApp.make(
        App.make("limits", [MockAuth.as("ada"), Limits, OrdersPlugin])
      )
      yield* known.get("/me")
      const unknown = yield* TestApp.make(
        App.make("limits", [MockAuth.anonymous(), Limits, OrdersPlugin])
      )
      ;(yield* unknown.get("/me")).expectStatus(401)
      assert.deepStrictEqual(seen, ["ada"])
    })
  )

  it.live("are not needed: a middleware service that is not the battery's works too", () =>
    Effect.gen(function* () {
      const robot = Auth.identity({ attributes: { tenant: "acme" }, subject: "robot" })
      const Own = Plugin.make("app:own-auth", {
        layer: Layer.succeed(Authentication.Default, (next) =>
          Effect.provideService(next, CurrentIdentity, robot)
        ),
        provides: [Authentication.Default]
      })
      const test = yield* TestApp.make(App.make("own", [Own, OrdersPlugin]))
      ;(yield* test.get("/me")).expectJson("robot")
      ;(yield* test.get("/tenants/acme")).expectStatus(200)
      ;(yield* test.get("/tenants/other")).expectStatus(403)
      assert.strictEqual(SameTenant.key, "flange/Policy/same-tenant")
    })
  )
})
