import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { ApiError, App, Authentication, CurrentIdentity, Middleware, Plugin, Route } from "flange"
import * as Auth from "flange/Auth"
import { assert, describe, it } from "vitest"
import * as ContractMiddleware from "../../src/Server/Route/ContractMiddleware.ts"
import { both, type Reply } from "./codecs.ts"
import { before, json, Tenant, wrap } from "./codecsApi.ts"

class Closed extends ApiError.make<Closed>()("Closed", {
  code: "CLOSED",
  detail: "It is closed",
  status: 409
}) {}

/** Middleware of the contract that does what the request's header `x-door` says. */
class Door extends HttpApiMiddleware.Service<Door>()("test/Door") {}

const door = ContractMiddleware.make(({ endpoint }) => (request) => {
  request.setHeader("x-door", endpoint.identifier)
  request.provide(Tenant, "door")
  request.annotate({ door: endpoint.identifier })
  switch (request.header("x-door")) {
    case "dies":
      return Effect.die(new Error("dead"))
    case "empty":
      return Effect.succeed(HttpServerResponse.empty({ status: 403 }))
    case "late":
      return Effect.as(Effect.sleep(1), HttpServerResponse.text("late", { status: 403 }))
    case "text":
      return Effect.succeed(HttpServerResponse.text("text", { status: 403 }))
    case "throws":
      throw new Error("thrown")
    case "waits":
      return Effect.as(Effect.sleep(1), undefined)
    default:
      return Middleware.pass
  }
})

const success = Schema.String

class DoorApi extends HttpApiGroup.make("door")
  .add(
    HttpApiEndpoint.get("closed", "/closed", { error: Closed, success }),
    HttpApiEndpoint.get("defect", "/defect", { success }),
    HttpApiEndpoint.get("tenant", "/tenant", { success }),
    HttpApiEndpoint.post("write", "/write", {
      payload: Schema.Struct({ text: Schema.String }),
      success
    })
  )
  .middleware(Door) {}

class LiveApi extends HttpApiGroup.make("live")
  .add(
    HttpApiEndpoint.get("live", "/live", { success }),
    HttpApiEndpoint.get("liveDefect", "/live/defect", { success })
  )
  .middleware(Door) {}

const doorPlugin = (service: typeof Door.Service) =>
  Plugin.make("test:door", {
    layer: Layer.succeed(Door, service),
    provides: [Door],
    routes: [
      Route.public(DoorApi, (handlers) =>
        handlers.handleAll({
          closed: () => Effect.fail(new Closed()),
          defect: () => Effect.die("defect"),
          tenant: () => Tenant,
          write: ({ payload }) => Effect.succeed(payload.text)
        })
      ),
      Route.bare(LiveApi, (handlers) =>
        handlers.handleAll({
          live: () => Effect.succeed("alive"),
          liveDefect: () => Effect.die("")
        })
      )
    ]
  })

const doorApp = (...middleware: ReadonlyArray<Middleware.Middleware<never, never>>) =>
  App.make("door", [doorPlugin(door), Plugin.make("test:middleware", { middleware })])

const says = (what: string) => ({ headers: { "x-door": what } })

const codeOf = ({ body }: Reply): string => JSON.parse(body).code

const around = [[], [wrap((next) => next)]]

describe("a before of the contract", () => {
  it("lets pass, and gives the handler what it provides", async () => {
    for (const wraps of around) {
      for (const what of ["passes", "waits"]) {
        const result = await both(
          () => doorApp(...wraps),
          async ({ send, told }) => [
            await send("/tenant", says(what)),
            (await send("/write", json("a", { "x-door": what }))).body,
            told
          ]
        )
        assert.deepStrictEqual(result, [
          {
            body: '"door"',
            headers: {
              "content-length": "6",
              "content-type": "application/json",
              "x-door": "tenant",
              "x-request-id": "r-1"
            },
            status: 200
          },
          '"a"',
          [
            { fields: { door: "tenant" }, status: 200 },
            { fields: { door: "write" }, status: 200 }
          ]
        ])
      }
    }
  })

  it("answers, and an empty answer is a problem document", async () => {
    for (const wraps of around) {
      for (const what of ["text", "late"]) {
        const reply = await both(
          () => doorApp(...wraps),
          ({ send }) => send("/tenant", says(what))
        )
        assert.deepInclude(reply, { body: what, status: 403 })
        assert.strictEqual(reply.headers["x-door"], "tenant")
      }
      const empty = await both(
        () => doorApp(...wraps),
        ({ send }) => send("/tenant", says("empty"))
      )
      assert.strictEqual(codeOf(empty), "FORBIDDEN")
      assert.strictEqual(empty.headers["x-door"], "tenant")
    }
  })

  it("that throws or dies is answered with 500", async () => {
    for (const wraps of around) {
      for (const what of ["throws", "dies"]) {
        const reply = await both(
          () => doorApp(...wraps),
          ({ send }) => send("/tenant", says(what))
        )
        assert.strictEqual(codeOf(reply), "INTERNAL_ERROR")
        assert.strictEqual(reply.headers["x-door"], "tenant")
      }
    }
  })

  it("sets headers of failures, and of bare routes", async () => {
    for (const wraps of around) {
      for (const [path, status, name] of [
        ["/closed", 409, "closed"],
        ["/defect", 500, "defect"],
        ["/live", 200, "live"],
        ["/live/defect", 500, "liveDefect"]
      ] as const) {
        const { headers, ...reply } = await both(
          () => doorApp(...wraps),
          ({ send }) => send(path)
        )
        assert.strictEqual(reply.status, status)
        assert.strictEqual(headers["x-door"], name)
      }
    }
  })

  it("is asked after the slots and the type of the body, and before it is read", async () => {
    for (const wraps of around) {
      const statuses = await both(
        () =>
          doorApp(
            before((request) =>
              request.header("x-slot") === undefined
                ? Middleware.pass
                : Effect.succeed(HttpServerResponse.empty({ status: 401 }))
            ),
            ...wraps
          ),
        async ({ send }) => [
          (await send("/write", json("a", { ...says("text").headers, "x-slot": "1" }))).status,
          (await send("/write", json("a", { "content-type": "text/plain", "x-door": "text" })))
            .status,
          (await send("/write", { ...json("a", says("text").headers), body: "{" })).status,
          (await send("/write", { ...json("a"), body: "{" })).status
        ]
      )
      assert.deepStrictEqual(statuses, [401, 415, 403, 400])
    }
  })
})

describe("a service that wraps one of ContractMiddleware.make", () => {
  it("runs as an effect around it", async () => {
    let ran = 0
    const wrapped: typeof Door.Service = (next, contract) => {
      const whole = door(next, contract)
      return Effect.suspend(() => {
        ran++
        return whole
      })
    }
    assert.isUndefined(ContractMiddleware.beforeOf(wrapped))
    const replies = await both(
      () => App.make("door", [doorPlugin(wrapped)]),
      async ({ send }) => {
        ran = 0
        const tenant = await send("/tenant")
        const late = await send("/tenant", says("late"))
        return {
          late: late.status,
          ran,
          tenant: [tenant.status, tenant.body, tenant.headers["x-door"]]
        }
      }
    )
    assert.deepStrictEqual(replies, { late: 403, ran: 2, tenant: [200, '"door"', "tenant"] })
  })
})

describe("a service of ContractMiddleware", () => {
  it("makes its before once for each endpoint, at start", async () => {
    const made: Array<string> = []
    const counting = ContractMiddleware.make(({ endpoint }) => {
      made.push(endpoint.path)
      return () => Middleware.pass
    })
    await both(
      () => App.make("door", [doorPlugin(counting)]),
      async ({ send }) => {
        const atStart = made.splice(0)
        assert.includeMembers(atStart, ["/closed", "/defect", "/tenant", "/write"])
        for (let i = 0; i < 3; i++) await send("/tenant")
        assert.deepStrictEqual(made, [])
      }
    )
  })

  it("that only declares puts nothing around an endpoint", async () => {
    await both(
      () =>
        App.make("door", [
          doorPlugin((next, contract) => {
            assert.strictEqual(ContractMiddleware.errorsOnly(next, contract), next)
            return next
          })
        ]),
      async ({ send }) => assert.strictEqual((await send("/tenant")).status, 200)
    )
    const replies = await both(
      () => App.make("door", [doorPlugin(ContractMiddleware.errorsOnly)]),
      async ({ send }) => {
        const { body, headers, status } = await send("/tenant", says("text"))
        return { body, header: headers["x-door"], status }
      }
    )
    assert.deepStrictEqual(replies, { body: '"nobody"', header: undefined, status: 200 })
  })
})

class OrdersApi extends HttpApiGroup.make("orders").add(
  HttpApiEndpoint.get("mine", "/mine", { success }),
  HttpApiEndpoint.post("order", "/orders", {
    payload: Schema.Struct({ text: Schema.String }),
    success
  }).middleware(Auth.requireScopes("orders:write")),
  HttpApiEndpoint.get("own", "/own/:tenant", {
    params: { tenant: Schema.String },
    success
  }).middleware(
    Auth.Policy.make("own", ({ identity, request, resource }) =>
      resource.params["tenant"] === identity.subject && request.headers["x-lies"] === undefined
        ? Auth.Policy.allow
        : Auth.Policy.deny("another's")
    )
  )
) {}

const subject = () => CurrentIdentity.useSync((identity) => identity.subject)

const OrdersPlugin = Plugin.make("test:orders", {
  routes: [
    Route.protected(OrdersApi, (handlers) =>
      handlers.handleAll({
        mine: subject,
        order: ({ payload }) => Effect.map(subject(), (who) => `${who}: ${payload.text}`),
        own: subject
      })
    )
  ]
})

describe("guards behind authentication that is not the battery's", () => {
  /** Believes every caller. */
  const Naive = Plugin.make("test:naive", {
    layer: Layer.succeed(Authentication.Default, (next) =>
      Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ headers }) =>
        headers["x-caller"] === undefined
          ? Effect.succeed(HttpServerResponse.empty({ status: 401 }))
          : Effect.provideService(next, CurrentIdentity, {
              attributes: {},
              displayName: headers["x-caller"],
              isPrivileged: false,
              isServiceAccount: false,
              method: "naive",
              scopes: new Set((headers["x-scopes"] ?? "").split(" ")),
              subject: headers["x-caller"]
            })
      )
    ),
    provides: [Authentication.Default]
  })
  const audit = Auth.AuditLog.memory()

  it("know the caller", async () => {
    const ada = { "x-caller": "ada" }
    for (const wraps of around) {
      const replies = await both(
        () =>
          App.make("naive", [
            audit.plugin,
            Naive,
            OrdersPlugin,
            Plugin.make("test:wraps", { middleware: wraps })
          ]),
        async ({ send, told }) => {
          const replies: Array<readonly [number, string]> = []
          for (const [path, init] of [
            ["/mine", {}],
            ["/mine", { headers: ada }],
            ["/orders", json("tea")],
            ["/orders", json("tea", ada)],
            ["/orders", json("tea", { ...ada, "x-scopes": "orders:read orders:write" })],
            ["/orders", { ...json("", { ...ada, "x-scopes": "orders:write" }), body: "{" }],
            ["/own/bob", { headers: ada }],
            ["/own/ada", { headers: ada }],
            ["/own/ada", { headers: { ...ada, "x-lies": "yes" } }]
          ] as const) {
            const reply = await send(path, init)
            replies.push([reply.status, reply.status < 400 ? reply.body : codeOf(reply)])
          }
          return { replies, told }
        }
      )
      assert.deepStrictEqual(replies.replies, [
        [401, "UNAUTHENTICATED"],
        [200, '"ada"'],
        [401, "UNAUTHENTICATED"],
        [403, "FORBIDDEN"],
        [200, '"ada: tea"'],
        [400, "MALFORMED_REQUEST"],
        [403, "FORBIDDEN"],
        [200, '"ada"'],
        [403, "FORBIDDEN"]
      ])
      assert.deepStrictEqual(replies.told[3]!.fields, {
        authMethod: "naive",
        authOutcome: "denied",
        authReason: "The caller lacks orders:write",
        userId: "ada"
      })
    }
  })
})
