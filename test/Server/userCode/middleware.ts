/** Middleware of slots and of contracts, guards, policies and authentication. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSecurity from "effect/http-api/HttpApiSecurity"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { Middleware, Plugin, Route } from "flange"
import * as Auth from "flange/Auth"
import { SignJWT } from "jose"
import { effectful, plain, returns, runs, tells } from "./misbehave.ts"
import { subject } from "./subject.ts"

const success = Schema.String

class Door extends HttpApiMiddleware.Service<Door>()("test/Door") {}

class Gate extends HttpApiMiddleware.Service<Gate>()("test/Gate", {
  security: { bearer: HttpApiSecurity.bearer }
}) {}

class SlotsApi extends HttpApiGroup.make("slots").add(
  HttpApiEndpoint.get("around", "/around", { success }),
  HttpApiEndpoint.get("before", "/before", { success }),
  HttpApiEndpoint.get("door", "/door", { success }).middleware(Door),
  HttpApiEndpoint.get("gate", "/gate", { success }).middleware(Gate),
  HttpApiEndpoint.get("observed", "/observed", { success }),
  HttpApiEndpoint.get("within", "/within", { success }),
  HttpApiEndpoint.get("wrap", "/wrap", { success }),
  HttpApiEndpoint.get("wrapAfter", "/wrap-after", { success })
) {}

const well = () => Effect.succeed("well")

/** What middleware puts around the route with this path, and around no other. */
const on = <A>(path: string, around: A) =>
  Effect.succeed((route: Middleware.RouteInfo) => (route.path === path ? around : undefined))

const before = (path: string, name: string, slot: Middleware.Slot = "Custom") =>
  Middleware.before(`before ${path}`, {
    build: on(path, () => runs(name, undefined)),
    slot
  })

/** Wraps that call the function in a fiber, because the wrap itself may be called at start. */
const wrap = (path: string, around: Middleware.Wrap) =>
  Middleware.make(`wrap ${path}`, { build: on(path, around), slot: "Custom" })

export const Slots = Plugin.make("test:slots", {
  layer: Layer.mergeAll(
    Layer.succeed(Door, (next) =>
      Effect.andThen(
        Effect.suspend(() => runs("the middleware of a contract", undefined)),
        next
      )
    ),
    Layer.succeed(Gate, {
      bearer: (next) => Effect.andThen(runs("the security of a contract", undefined), next)
    })
  ),
  middleware: [
    Middleware.aroundHandler("around", {
      build: on("/around", (handler) =>
        Effect.andThen(runs("a function around a handler", undefined), handler)
      )
    }),
    Middleware.observe("observer", { build: on("/observed", () => tells("an observer")) }),
    before("*", "a before of requests that no route takes"),
    before("/before", "a before"),
    before("/observed", "a before of the outermost slot", "TransportSecurity"),
    wrap("/within", (next) => next),
    before("/within", "a before within a wrap"),
    wrap("/wrap", (next) =>
      Effect.andThen(
        Effect.suspend(() => runs("a wrap", undefined)),
        next
      )
    ),
    wrap("/wrap-after", (next) =>
      Effect.flatMap(next, (response) => runs("a wrap with the reply", response))
    )
  ],
  provides: [Door, Gate],
  routes: [
    Route.public(SlotsApi, (handlers) =>
      handlers.handleAll({
        around: well,
        before: well,
        door: well,
        gate: well,
        observed: well,
        within: well,
        wrap: well,
        wrapAfter: well
      })
    )
  ]
})

const Effectful = Auth.Policy.declare("effectful")

const Plain = Auth.Policy.make("plain", () => returns("a plain policy", Auth.Policy.allow))

const Roles = Auth.Policy.roles("roles", {
  permissions: { clerk: ["roles"] },
  rolesOf: () => returns("the roles of a caller", ["clerk"])
})

class KeysApi extends HttpApiGroup.make("keys").add(
  HttpApiEndpoint.get("effectful", "/policy", { success }).middleware(Effectful),
  Auth.unguarded(HttpApiEndpoint.get("key", "/key", { success })),
  HttpApiEndpoint.get("plain", "/plain-policy", { success }).middleware(Plain),
  HttpApiEndpoint.get("roles", "/roles", { success }).middleware(Roles)
) {}

class BasicApi extends HttpApiGroup.make("basic").add(
  HttpApiEndpoint.get("basic", "/basic", { success })
) {}

class OwnApi extends HttpApiGroup.make("own").add(
  HttpApiEndpoint.get("own", "/own", { success })
) {}

class TokensApi extends HttpApiGroup.make("tokens").add(
  HttpApiEndpoint.get("token", "/token", { success })
) {}

const ada = { subject: "ada" }
const secret = "a secret that is at least as long as its hash"

const AuthPlugin = Auth.plugin({
  chains: {
    basic: Auth.chain([
      Auth.basic({ validate: () => runs("the validation of a password", Option.some(ada)) })
    ]),
    own: Auth.chain([
      Auth.backend({
        authenticate: () => runs("a backend", Auth.identity(ada)),
        name: "own"
      })
    ]),
    tokens: Auth.chain([
      Auth.jwt(
        { audience: "test", issuer: "test", keys: Auth.secret(Redacted.make(secret)) },
        { mapper: () => returns("the mapper of claims", ada) }
      )
    ])
  },
  default: Auth.chain([
    Auth.apiKey({ validate: () => runs("the validation of a key", Option.some(ada)) })
  ])
})

/** An audit log and the routes whose callers are known. */
const Callers = Plugin.make("test:callers", {
  layer: Layer.merge(
    Layer.succeed(Auth.AuditLog.AuditLog, {
      record: () => runs("an audit log", undefined)
    }),
    Auth.Policy.implement(Effectful, () => runs("a policy", Auth.Policy.allow))
  ),
  provides: [Effectful],
  routes: [
    Route.protected(KeysApi, (handlers) =>
      handlers.handleAll({ effectful: well, key: well, plain: well, roles: well })
    ),
    Route.protectedWith("basic")(BasicApi, (handlers) => handlers.handleAll({ basic: well })),
    Route.protectedWith("own")(OwnApi, (handlers) => handlers.handleAll({ own: well })),
    Route.protectedWith("tokens")(TokensApi, (handlers) => handlers.handleAll({ token: well }))
  ]
})

export const Authenticated = [AuthPlugin, Callers] as const

const sent = (headers: Record<string, string>) => ({ init: { headers } })

const key = sent({ "x-api-key": "key" })

const token = await new SignJWT({})
  .setProtectedHeader({ alg: "HS256" })
  .setAudience("test")
  .setExpirationTime("1 day")
  .setIssuer("test")
  .setSubject("ada")
  .sign(new TextEncoder().encode(secret))

export const middleware = [
  subject("a backend", "/own", effectful),
  subject("a before of requests that no route takes", "/nowhere", effectful, {
    body: "ROUTE_NOT_FOUND",
    status: 404
  }),
  subject("a before of the outermost slot", "/observed", effectful),
  subject("a before within a wrap", "/within", effectful),
  subject("a before", "/before", effectful),
  subject("a function around a handler", "/around", effectful),
  subject("a plain policy", "/plain-policy", plain, key),
  subject("a policy", "/policy", effectful, key),
  subject("a wrap with the reply", "/wrap-after", effectful),
  subject("a wrap", "/wrap", effectful),
  subject("an audit log", "/key", effectful, { ...key, result: "told" }),
  subject("an observer", "/observed", [...plain, "rejects"], { result: "told" }),
  subject("the mapper of claims", "/token", plain, sent({ authorization: `Bearer ${token}` })),
  subject("the middleware of a contract", "/door", effectful),
  subject("the roles of a caller", "/roles", plain, key),
  subject("the security of a contract", "/gate", effectful, sent({ authorization: "Bearer a" })),
  subject("the validation of a key", "/key", effectful, key),
  subject(
    "the validation of a password",
    "/basic",
    effectful,
    sent({ authorization: `Basic ${btoa("ada:pass")}` })
  )
]
