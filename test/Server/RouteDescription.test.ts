import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { ApiError, App, Authentication, BodyLimit, Middleware, Plugin, Route } from "flange"
import * as Auth from "flange/Auth"
import { MockAuth } from "flange/Auth/Testing"
import { RatePolicy } from "flange/Contract"
import * as Database from "flange/Database"
import * as RateLimit from "flange/RateLimit"
import { Channel } from "flange/Realtime/Contract"

class Taken extends ApiError.make<Taken>()("Taken", {
  code: "TAKEN",
  detail: "The room is taken",
  status: 409
}) {}

class Full extends ApiError.make<Full>()("Full", {
  code: "FULL",
  detail: "The house is full",
  status: 409
}) {}

class Gone extends Schema.TaggedError<Gone>()("Gone", {}, { httpApiStatus: 410 }) {}

class Unsigned extends ApiError.make<Unsigned>()("Unsigned", {
  code: "UNSIGNED",
  detail: "The request is not signed",
  status: 403
}) {}

class Signed extends HttpApiMiddleware.Service<Signed>()("test/Signed", { error: Unsigned }) {}

const OwnRoom = Auth.Policy.make("own-room", () => Auth.Policy.allow)

class RoomsApi extends HttpApiGroup.make("rooms").add(
  HttpApiEndpoint.post("book", "/rooms", {
    error: [Taken, Full, Gone],
    payload: Schema.Struct({ room: Schema.String })
  })
    .middleware(Auth.requireScopes("rooms:write", "rooms:book"))
    .middleware(Auth.requireAnyScope("guest", "staff"))
    .middleware(OwnRoom)
    .middleware(Auth.privileged)
    .annotate(BodyLimit, 64 * 1024)
    .annotate(RatePolicy, { burst: 9, limit: 5, window: "1 minute" }),
  Auth.unguarded(
    HttpApiEndpoint.get("list", "/rooms", {
      query: { day: Schema.String },
      success: Schema.String
    }).annotate(HttpApi.QueryParseOptions, { onExcessProperty: "error" })
  )
) {}

class UploadsApi extends HttpApiGroup.make("uploads").add(
  HttpApiEndpoint.put("put", "/uploads/:id", {
    params: { id: Schema.String },
    payload: Schema.Struct({ file: Schema.String }).pipe(HttpApiSchema.asMultipart())
  }).middleware(Signed)
) {}

const rooms = Plugin.make("app:rooms", {
  routes: [
    Route.protectedWith("staff")(RoomsApi, (handlers) =>
      handlers.handleAll({ book: () => Effect.void, list: () => Effect.succeed("") })
    )
  ]
})

const uploads = Plugin.make("app:uploads", {
  layer: Layer.succeed(Signed, (next) => next),
  provides: [Signed],
  routes: [
    Route.public(UploadsApi, (handlers) => handlers.handleAll({ put: () => Effect.void })),
    Route.raw("robots", HttpRouter.add("GET", "/robots.txt", HttpServerResponse.text("")), {
      access: "bare"
    }),
    Route.raw("admin", HttpRouter.add("GET", "/admin", HttpServerResponse.text("")), {
      access: "protected",
      chain: "staff"
    })
  ]
})

const auth = MockAuth.as("ada", { chains: ["staff"] })

const whole = App.make("hotel", [rooms, uploads, auth])

const routeOf = (app: App.Any, name: string) =>
  App.describe(app).routes.find((route) => route.name === name)!

describe("a described route", () => {
  it("has its access, its guards, its limits, its errors and its owner", () => {
    expect(routeOf(whole, "rooms.book")).toEqual({
      access: "protected",
      bodyLimit: 65_536,
      chain: "staff",
      codec: "compiled",
      codecReason: undefined,
      errors: {
        400: ["MALFORMED_REQUEST", "VALIDATION_FAILED"],
        401: ["UNAUTHENTICATED"],
        403: ["FORBIDDEN"],
        409: ["FULL", "TAKEN"],
        410: ["Gone"],
        413: ["PAYLOAD_TOO_LARGE"],
        415: ["UNSUPPORTED_MEDIA_TYPE"],
        429: ["RATE_LIMITED"],
        500: ["INTERNAL_ERROR"],
        503: ["SERVICE_UNAVAILABLE"]
      },
      group: "rooms",
      method: "POST",
      middleware: [{ name: "authentication", plugin: "flange:auth", slot: "Authentication" }],
      name: "rooms.book",
      path: "/rooms",
      plugin: "app:rooms",
      policies: ["isPrivileged", "own-room"],
      rateLimits: [],
      realtime: undefined,
      roles: ["server"],
      scopes: [
        { match: "all", scopes: ["rooms:write", "rooms:book"] },
        { match: "any", scopes: ["guest", "staff"] }
      ],
      timeout: undefined,
      transaction: "none",
      unguarded: false
    })
    expect(routeOf(whole, "rooms.list")).toMatchObject({ policies: [], unguarded: true })
  })

  it("has the middleware of the contract that may refuse a caller as a guard, with its errors", () => {
    const { errors, policies } = routeOf(whole, "uploads.put")
    expect(policies).toEqual(["test/Signed"])
    expect(errors["403"]).toEqual(["UNSIGNED"])
  })

  it("of an optional group is guarded if its own contract authenticates its callers", () => {
    class Posts extends HttpApiGroup.make("posts").add(
      HttpApiEndpoint.get("list", "/posts"),
      HttpApiEndpoint.get("mine", "/posts/mine").middleware(Authentication.middleware("staff")),
      HttpApiEndpoint.get("own", "/posts/own").middleware(Authentication.Default)
    ) {}
    const build = { list: () => Effect.void, mine: () => Effect.void, own: () => Effect.void }
    const optional = Plugin.make("app:posts", {
      routes: [Route.optional(Posts, (handlers) => handlers.handleAll(build))]
    })
    const closed = Plugin.make("app:posts", {
      routes: [Route.protected(Posts, (handlers) => handlers.handleAll(build))]
    })
    const policies = (app: App.Any) => App.describe(app).routes.map((each) => each.policies)
    expect(policies(App.make("blog", [optional, auth]))).toEqual([
      [],
      ["authenticated:staff"],
      ["authenticated"]
    ])
    expect(policies(App.make("blog", [closed, auth]))).toEqual([[], ["authenticated:staff"], []])
  })

  it("has no error of a body if it reads none", () => {
    expect(routeOf(whole, "rooms.list").errors["413"]).toBeUndefined()
  })

  it("is compiled only if nothing of Effect decodes or encodes it", () => {
    expect(
      App.describe(whole).routes.map(({ codec, codecReason }) => [codec, codecReason])
    ).toEqual([
      ["partial", "it has parse options for its query"],
      ["compiled", undefined],
      ["effect", "its payload is multipart"]
    ])
    const group = RoomsApi.annotate(HttpApi.ParseOptions, { onExcessProperty: "error" })
    const all = Plugin.make("app:rooms", {
      routes: [
        Route.protectedWith("staff")(group, (handlers) =>
          handlers.handleAll({ book: () => Effect.void, list: () => Effect.succeed("") })
        )
      ]
    })
    expect(routeOf(App.make("hotel", [all, auth]), "rooms.book").codecReason).toBe(
      "it has parse options for its payload, success, errors"
    )
  })
})

describe("the middleware of a described route", () => {
  const noop = (name: string, slot: Middleware.Slot, describe?: Middleware.Describe) =>
    Middleware.make(name, { build: Effect.succeed(() => undefined), describe, slot })

  it("is that of the app, outermost first, where it runs", () => {
    const company = Plugin.make("company:all", {
      middleware: [
        noop("inner", "Custom"),
        noop("posts", "Logging", ({ method }) => (method === "POST" ? {} : undefined)),
        noop("outer", "TransportSecurity")
      ]
    })
    const app = App.make("hotel", [company, rooms, auth])
    const names = (name: string) => routeOf(app, name).middleware.map((each) => each.name)
    expect(names("rooms.book")).toEqual(["outer", "posts", "authentication", "inner"])
    expect(names("rooms.list")).toEqual(["outer", "authentication", "inner"])
  })

  it("adds what it describes: errors, a timeout, a limit, a transaction", () => {
    const company = Plugin.make("company:all", {
      middleware: [
        noop("slow", "TransportSecurity", () => ({ timeout: 30_000 })),
        noop("fast", "Custom", () => ({ errors: [Full], timeout: 2000 })),
        noop("store", "Transaction", () => ({ transaction: "read-only" }))
      ]
    })
    const route = routeOf(App.make("hotel", [company, uploads, auth]), "uploads.put")
    expect(route).toMatchObject({ timeout: 2000, transaction: "read-only" })
    expect(route.errors["409"]).toEqual(["FULL"])
  })

  it("of Database is a transaction: read-only for reads, as the nearest annotation says", () => {
    const of = (
      app: App.Any,
      group: "rooms" | "uploads" = "rooms"
    ): ReadonlyArray<string | undefined> =>
      App.describe(app)
        .routes.filter((route) => route.group === group)
        .map(({ transaction }) => transaction)
    expect(of(App.make("hotel", [rooms, auth, Database.plugin]))).toEqual(["none", "none"])
    const list = [rooms, auth, Database.plugin, Database.transactional()] as const
    expect(of(App.make("hotel", list))).toEqual(["read-only", "read-write"])
    const annotated = (annotation: boolean | Database.TransactionalOptions) =>
      Plugin.make("app:rooms", {
        routes: [
          Route.protectedWith("staff")(
            RoomsApi.annotate(Database.Transactional, annotation),
            (handlers) =>
              handlers.handleAll({ book: () => Effect.void, list: () => Effect.succeed("") })
          )
        ]
      })
    const [, ...others] = list
    expect(of(App.make("hotel", [annotated(false), ...others]))).toEqual(["none", "none"])
    expect(of(App.make("hotel", [annotated({ readOnly: false }), ...others]))).toEqual([
      "read-write",
      "read-write"
    ])
    expect(of(App.make("hotel", [annotated(true), auth, Database.plugin]))).toEqual([
      "read-only",
      "read-write"
    ])
  })

  it("of RateLimit is the limit of its policy, or that of the configuration", () => {
    const app = App.make("hotel", [rooms, uploads, auth, RateLimit.plugin])
    expect(App.describe(app).routes.map(({ rateLimits }) => rateLimits)).toEqual([
      [{ by: "caller", cost: 1, name: "default", policy: undefined }],
      [
        {
          by: "caller",
          cost: 1,
          name: "rooms.book",
          policy: { algorithm: "token-bucket", burst: 9, limit: 5, window: 60_000 }
        }
      ],
      []
    ])
  })
})

describe("App.routesTable", () => {
  it("has a line for each route, by path and method, and names what is not in it", () => {
    const list = [uploads, rooms, auth, RateLimit.plugin, Database.plugin] as const
    const app = App.make("hotel", [...list, Database.transactional()])
    expect(App.routesTable(App.describe(app))).toBe(
      [
        "METHOD  PATH          NAME         ACCESS           GUARDS                                                       TRANSACTION  LIMITS                  ERRORS",
        "GET     /rooms        rooms.list   protected:staff  unguarded                                                    read-only    rate                    401 429",
        "POST    /rooms        rooms.book   protected:staff  rooms:book+rooms:write, guest|staff, isPrivileged, own-room  read-write   body 64 KiB, rate 5/1m  401 403 409 410 429",
        "PUT     /uploads/:id  uploads.put  public           test/Signed                                                  read-write   -                       403",
        "",
        'Group "admin" of app:uploads (protected:staff): its routes are known after boot only.',
        'Group "robots" of app:uploads (bare): its routes are known after boot only.',
        "rooms.list is not compiled: it has parse options for its query.",
        "uploads.put is not compiled: its payload is multipart.",
        ""
      ].join("\n")
    )
  })

  it("names the endpoints of WebSockets and of server-sent events", () => {
    const Chat = Channel.make(HttpApiEndpoint.get("chat", "/chat"), {
      receive: Schema.String,
      send: Schema.String
    })
    class LiveApi extends HttpApiGroup.make("live").add(
      Chat.endpoint,
      HttpApiEndpoint.get("file", "/file", { success: HttpApiSchema.StreamUint8Array() }),
      HttpApiEndpoint.get("ticks", "/ticks", {
        success: HttpApiSchema.StreamSse({ data: Schema.Int })
      })
    ) {}
    const live = Plugin.make("app:live", {
      routes: [
        Route.public(LiveApi, (handlers) =>
          handlers.handleAll({
            chat: () => Effect.succeed(HttpServerResponse.empty()),
            file: () => Effect.succeed(Stream.empty),
            ticks: () => Effect.succeed(Stream.empty)
          })
        )
      ]
    })
    const description = App.describe(App.make("live", [live]))
    expect(description.routes.map(({ name, realtime }) => [name, realtime])).toEqual([
      ["live.chat", "websocket"],
      ["live.file", undefined],
      ["live.ticks", "sse"]
    ])
    const table = App.routesTable(description)
    expect(table).toContain("live.chat is a WebSocket.\nlive.ticks sends server-sent events.\n")
  })

  it("of an app without routes is its heading", () => {
    const [line, ...rest] = App.routesTable(App.describe(App.make("none", [auth]))).split("\n")
    expect(line).toMatch(/^METHOD +PATH +NAME +ACCESS +GUARDS +TRANSACTION +LIMITS +ERRORS$/)
    expect(rest).toEqual([""])
  })
})
