import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import { App, AppRuntime, Contribution, HealthCheck, Middleware, Plugin, Role, Route } from "flange"
import * as Admin from "flange/Admin"
import * as Health from "flange/Health"
import * as Metrics from "flange/Metrics"
import * as OpenApi from "flange/OpenApi"
import * as Realtime from "flange/Realtime"
import { TestApp } from "flange/Testing"

const Text = { success: Schema.String }

class OrdersApi extends HttpApiGroup.make("orders").add(
  HttpApiEndpoint.post("create", "/orders", { payload: Schema.String, success: Schema.String }),
  HttpApiEndpoint.get("list", "/orders", Text)
) {}
class LagApi extends HttpApiGroup.make("lag").add(HttpApiEndpoint.get("read", "/lag", Text)) {}
class AboutApi extends HttpApiGroup.make("about").add(
  HttpApiEndpoint.get("read", "/about", Text)
) {}
/** The effects that were built, in their order. */
let built: Array<string> = []
const note = (name: string) => Effect.sync(() => void built.push(name))

const Consumer = Contribution.kind<void, string>()("consumer", { roles: ["worker"] })
const Timer = Contribution.kind<void, string>()("timer", { roles: ["scheduler"] })

const OrdersPlugin = Plugin.make("shop:orders", {
  contributes: [
    Consumer.make("emails", undefined, Effect.as(note("consumer"), "emails")),
    Timer.make("nightly", undefined, Effect.as(note("timer"), "nightly"))
  ],
  health: { stock: HealthCheck.make(Effect.void) },
  middleware: [
    Middleware.before("seen", {
      build: Effect.as(note("middleware"), () => (request) => {
        request.setHeader("x-seen", "1")
        return Middleware.pass
      }),
      slot: "TransportSecurity"
    }),
    Role.assign(
      Middleware.before("cookies", {
        build: Effect.as(note("cookies"), () => undefined),
        slot: "Custom"
      }),
      "server"
    )
  ],
  routes: [
    Route.public(OrdersApi, (handlers) =>
      Effect.as(
        note("orders"),
        handlers.handleAll({
          create: ({ payload }) => Effect.succeed(payload),
          list: () => Effect.succeed("all")
        })
      )
    ),
    Route.raw(
      "pages",
      HttpRouter.use((router) =>
        Effect.andThen(
          note("pages"),
          router.add("GET", "/pages/*", HttpServerResponse.text("page"))
        )
      ),
      { access: "public" }
    ),
    Role.assign(
      Route.public(LagApi, (handlers) =>
        Effect.as(note("lag"), handlers.handleAll({ read: () => Effect.succeed("3 s") }))
      ),
      "worker",
      "scheduler"
    ),
    Role.assign(
      Route.public(AboutApi, (handlers) =>
        Effect.as(note("about"), handlers.handleAll({ read: () => Effect.succeed("shop") }))
      ),
      "all"
    )
  ]
})

const app = App.make("shop", [
  Metrics.plugin,
  Health.plugin,
  OpenApi.plugin,
  Realtime.asyncApi,
  Admin.plugin,
  OrdersPlugin
])

const inRole = (role: "all" | Role.Role) => ({ config: { app: { role } } })

/** The paths that a process of a role may answer. `server` has all but `/lag`. */
const paths = {
  every: ["/about", "/healthcheck", "/healthz", "/livez", "/metrics", "/readyz"],
  other: ["/lag"],
  server: ["/asyncapi.json", "/docs", "/openapi.json", "/orders", "/pages/a", "/swagger-ui/"]
}

describe.each<["all" | Role.Role, parts: ReadonlyArray<string>]>([
  ["all", ["consumer", "timer", "orders", "pages", "lag", "about", "middleware", "cookies"]],
  ["scheduler", ["timer", "lag", "about", "middleware"]],
  ["server", ["orders", "pages", "about", "middleware", "cookies"]],
  ["worker", ["consumer", "lag", "about", "middleware"]]
])("a process of the role %s", (role, parts) => {
  const serves = role === "all" || role === "server"
  const hasLag = role !== "server"

  it.live.each(["web", "node", "proxied"] as const)(
    "it builds and serves what belongs to the role, on the listener %s",
    (listener) =>
      Effect.gen(function* () {
        built = []
        const test =
          listener === "web"
            ? yield* TestApp.make(app, inRole(role))
            : yield* TestApp.listening(app, {
                config: { app: { role }, server: { listener } }
              })
        expect(built).toEqual(parts)
        const statuses = (each: ReadonlyArray<string>) =>
          Effect.forEach(each, (path) => Effect.map(test.get(path), ({ status }) => status))
        expect(new Set(yield* statuses(paths.every))).toEqual(new Set([200]))
        expect(new Set(yield* statuses(paths.server))).toEqual(new Set([serves ? 200 : 404]))
        expect(yield* statuses(paths.other)).toEqual([hasLag ? 200 : 404])
        const created = yield* test.post("/orders", { json: "a" })
        if (serves) created.expectStatus(200)
        // Not 405: the path itself is unknown there.
        else created.expectProblem("ROUTE_NOT_FOUND", 404)
        // What is unknown passes the middleware of every role.
        const unknown = yield* test.get("/nowhere")
        unknown.expectProblem("ROUTE_NOT_FOUND", 404).expectHeader("x-seen", "1")
        test.expectNoErrors()
      })
  )

  it.effect("AppRuntime and the admin port name the role and what belongs to it", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(app, inRole(role))
      const runtime = yield* test.run(AppRuntime)
      expect(runtime.role).toBe(role)
      expect(runtime.contributions(Consumer).map(({ value }) => value)).toEqual(
        parts.includes("consumer") ? ["emails"] : []
      )
      expect(runtime.contributions(HealthCheck.kind).map(({ name }) => name)).toEqual(["stock"])
      const health = yield* test.get("/healthcheck")
      expect((health.json as { role?: string }).role).toBe(role === "all" ? undefined : role)
      const listed = yield* test.port("admin").get("/routes")
      const { routes } = listed.expectStatus(200).json as {
        routes: ReadonlyArray<{ path: string }>
      }
      const own = routes.map(({ path }) => path)
      expect(own.includes("/orders")).toBe(serves)
      expect(own.includes("/lag")).toBe(hasLag)
      expect(own.includes("/livez")).toBe(true)
    })
  )

  it.effect("it drains as every process does", () =>
    Effect.gen(function* () {
      const drained: Array<string> = []
      const drain = Plugin.make("drain", { drain: Effect.sync(() => void drained.push(role)) })
      yield* Effect.scoped(TestApp.make(App.make("drains", [drain]), inRole(role)))
      expect(drained).toEqual([role])
    })
  )
})

describe("roles", () => {
  it("a description has the roles of contributions and routes, whatever the role of the process", () => {
    const { plugins, rawGroups, routes } = App.describe(app)
    const own = plugins.find(({ id }) => id === "shop:orders")!
    expect(
      Object.fromEntries(
        own.contributions.map(({ kind, name, roles }) => [`${kind} ${name}`, roles])
      )
    ).toEqual({
      "consumer emails": ["worker"],
      "healthCheck stock": undefined,
      "middleware cookies": ["server"],
      "middleware seen": undefined,
      "route about": undefined,
      "route lag": ["scheduler", "worker"],
      "route orders": ["server"],
      "route pages": ["server"],
      "timer nightly": ["scheduler"]
    })
    expect(routes.find(({ path }) => path === "/lag")!.roles).toEqual(["scheduler", "worker"])
    expect(rawGroups.find(({ group }) => group === "metrics")!.roles).toBeUndefined()
    const table = App.routesTable({ rawGroups, routes })
    expect(table).toContain("lag.read is served in the role scheduler and worker only.")
    expect(table).not.toContain("livez is served in")
  })

  it.effect(
    "the OpenAPI document has the groups of the role server, and the contract has all",
    () =>
      Effect.gen(function* () {
        const test = yield* TestApp.make(app)
        const document = (yield* test.get("/openapi.json")).json as { paths: object }
        expect(Object.keys(document.paths)).toContain("/orders")
        expect(Object.keys(document.paths)).toContain("/about")
        expect(Object.keys(document.paths)).not.toContain("/lag")
        expect(yield* test.client.lag.read()).toBe("3 s")
      })
  )

  it.effect("a role that does not exist is a ConfigError with the nearest one", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        TestApp.make(App.make("shop", [OrdersPlugin]), { variables: { FLANGE_ROLE: "wroker" } })
      )
      expect(error._tag).toBe("ConfigError")
      expect(error.message).toContain("FLANGE_ROLE")
      expect(error.message).toContain('Did you mean "worker"?')
    })
  )

  it("a contribution cannot be assigned to a role that does not exist", () => {
    const assign = Role.assign as (contribution: Contribution.Any, role: string) => unknown
    const consumer = Consumer.make("emails", undefined, Effect.succeed(""))
    expect(() => assign(consumer, "workers")).toThrow(
      new TypeError(
        'The consumer "emails" is assigned to the role "workers", which does not exist. Did you mean "worker"? The roles are scheduler, server, worker; "all" alone names all of them.'
      )
    )
  })
})
