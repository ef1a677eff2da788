/** An app whose endpoints have keys, and the requests that its handlers carried out. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { App, type Config, Middleware, Plugin, Route } from "flange"
import * as Auth from "flange/Auth"
import { requireScopes, unguarded } from "flange/Auth/Contract"
import { ApiError, BodyLimit } from "flange/Contract"
import * as Idempotency from "flange/Idempotency"
import { IdempotencyErrors, Idempotent } from "flange/Idempotency/Contract"
import * as Repeats from "../../../src/Layers/Idempotency/Repeats.ts"
import * as ContractMiddleware from "../../../src/Server/Route/ContractMiddleware.ts"

const Text = Schema.String

export class Refused extends ApiError.make<Refused>()(
  "Refused",
  { code: "REFUSED", detail: ({ why }) => `Refused: ${why}`, status: 422 },
  { why: Text }
) {}

export class Broken extends ApiError.make<Broken>()("Broken", {
  code: "BROKEN",
  detail: "Broken",
  status: 503
}) {}

const json = { payload: Schema.Struct({ what: Text }), success: Schema.Struct({ run: Schema.Int }) }

export class OrdersApi extends HttpApiGroup.make("orders")
  .add(
    unguarded(
      HttpApiEndpoint.put("bytes", "/bytes/:id", {
        headers: { "x-tenant": Schema.optionalKey(Text) },
        params: { id: Text },
        payload: Schema.Uint8Array.pipe(HttpApiSchema.asUint8Array()),
        success: Text
      })
    ),
    unguarded(
      HttpApiEndpoint.post("create", "/orders", {
        ...json,
        error: [Broken, Refused],
        query: { mode: Schema.optionalKey(Text), tag: Schema.optionalKey(Text) }
      }).middleware(IdempotencyErrors)
    ),
    HttpApiEndpoint.post("guarded", "/guarded", { success: Text }).middleware(
      requireScopes("orders:write")
    ),
    unguarded(HttpApiEndpoint.post("made", "/made/:how", { params: { how: Text }, success: Text })),
    unguarded(HttpApiEndpoint.get("read", "/orders", { success: Text })),
    unguarded(HttpApiEndpoint.post("required", "/required", { success: Text })).annotate(
      Idempotent,
      Idempotent.keyed({ required: true, ttl: "1 minute" })
    ),
    unguarded(HttpApiEndpoint.post("small", "/small", json)).annotate(BodyLimit, 64),
    unguarded(HttpApiEndpoint.post("unkeyed", "/unkeyed", { success: Text })).annotate(
      Idempotent,
      false
    )
  )
  .annotate(Idempotent, Idempotent.keyed()) {}

/** Replies that a handler makes itself. */
const replies: Readonly<Record<string, (run: number) => HttpServerResponse.HttpServerResponse>> = {
  busy: () => HttpServerResponse.text("later", { headers: { "retry-after": "9" }, status: 429 }),
  bytes: (run) =>
    HttpServerResponse.uint8Array(new Uint8Array([0, 255, 128, run]), { contentType: "image/x" }),
  cookie: (run) =>
    HttpServerResponse.setCookieUnsafe(
      HttpServerResponse.text(`run ${run}`, {
        headers: { "server-timing": "a;dur=1", "x-own": `own ${run}` }
      }),
      "session",
      "secret"
    ),
  created: (run) =>
    HttpServerResponse.text(`run ${run}`, {
      headers: { etag: `"${run}"`, location: `/orders/${run}` },
      status: 201
    }),
  empty: () => HttpServerResponse.empty({ status: 204 }),
  huge: (run) => HttpServerResponse.text(`${run}`.padEnd(2 ** 20 + 1, "x")),
  stream: () => HttpServerResponse.stream(Stream.succeed(new TextEncoder().encode("streamed"))),
  unavailable: () => HttpServerResponse.text("away", { status: 503 })
}

const callers = {
  "token-of-ada-0000": { scopes: ["orders:write"], subject: "ada" },
  "token-of-ada-less": { scopes: [], subject: "ada" },
  "token-of-bob-0000": { scopes: ["orders:write"], subject: "bob" }
} as const

export type Token = keyof typeof callers

/** Returns the headers of a caller with a key. */
export const as = (token: Token, key?: string): Record<string, string> => ({
  authorization: `Bearer ${token}`,
  ...(key === undefined ? {} : { "idempotency-key": key })
})

/** Returns the headers of Ada with a key. */
export const ada = (key?: string) => as("token-of-ada-0000", key)

export const AuthPlugin = Auth.plugin({
  default: Auth.chain([
    Auth.bearer(
      Object.entries(callers).map(([token, identity]) => ({
        identity,
        token: Redacted.make(token)
      }))
    )
  ])
})

/** Returns the plugin with another store. */
const on = (store: Idempotency.Store) =>
  Plugin.make("flange:idempotency", {
    config: [Idempotency.IdempotencyConfig],
    layer: Layer.merge(
      Layer.succeed(Idempotency.KeyStore, store),
      Layer.succeed(IdempotencyErrors, ContractMiddleware.errorsOnly)
    ),
    middleware: [Repeats.middleware],
    provides: [IdempotencyErrors, Idempotency.KeyStore]
  })

/** The parts of an app that a test may change. */
export interface Parts {
  /** Plugins in front of all others. */
  readonly before?: ReadonlyArray<Plugin.Plugin<string, never, Config.ConfigError>>
  /** Runs in the handler of `create`, after its run was counted. */
  readonly during?: (mode: string | undefined) => Effect.Effect<void, Broken | Refused>
  /** Whether the handler of `create` runs to its end if its request is interrupted. */
  readonly isUninterruptible?: boolean
  readonly store?: Idempotency.Store
  readonly values?: object
}

/** Creates the app. `ran` has an entry for each request that a handler carried out. */
export const make = ({
  before = [],
  during = () => Effect.void,
  isUninterruptible,
  store,
  values = {}
}: Parts = {}) => {
  const ran: Array<string> = []
  const seen: Array<string> = []
  const run = (name: string) => Effect.sync(() => ran.push(name))
  const Orders = Plugin.make("app:orders", {
    routes: [
      Route.protected(OrdersApi, (handlers) =>
        handlers.handleAll({
          bytes: ({ payload }) =>
            Effect.map(run(`bytes ${payload.join(" ")}`), (count) => `run ${count}`),
          create: {
            handler: ({ payload, query }) =>
              Effect.flatMap(run(payload.what), (count) =>
                Effect.as(during(query.mode), { run: count })
              ),
            options: { uninterruptible: isUninterruptible }
          },
          guarded: ({ identity }) =>
            Effect.map(run("guarded"), (count) => `${identity.subject} ${count}`),
          made: ({ params }) => Effect.map(run(params.how), (count) => replies[params.how]!(count)),
          read: () => Effect.succeed("orders"),
          required: () => Effect.map(run("required"), (count) => `run ${count}`),
          small: () => Effect.map(run("small"), (count) => ({ run: count })),
          unkeyed: () => Effect.map(run("unkeyed"), (count) => `run ${count}`)
        })
      )
    ]
  })
  const Observer = Plugin.make("app:observer", {
    middleware: [
      Middleware.observe("seen", {
        build: Effect.succeed(() => ({ fields }, status) => {
          seen.push(`${fields["idempotency"]} ${status}`)
        })
      })
    ]
  })
  const app = App.make(
    "shop",
    [...before, AuthPlugin, store === undefined ? Idempotency.plugin : on(store), Observer, Orders],
    { config: { values } }
  )
  return { app, ran, seen }
}
