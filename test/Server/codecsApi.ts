/** An endpoint of each kind that middleware can stand before. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { ApiError, App, BodyLimit, Middleware, Plugin, Route } from "flange"

/** What middleware may say of a request. */
export const Tenant = Context.Reference<string>("test/Tenant", { defaultValue: () => "nobody" })

class Conflict extends ApiError.make<Conflict>()("Conflict", {
  code: "CONFLICT",
  detail: "It is there already",
  status: 409
}) {}

const success = Schema.String

class RoutesApi extends HttpApiGroup.make("routes").add(
  HttpApiEndpoint.get("conflict", "/conflict", { error: Conflict, success }),
  HttpApiEndpoint.get("defect", "/defect", { success }),
  HttpApiEndpoint.post("echo", "/echo", {
    payload: Schema.Struct({ text: Schema.String }),
    success
  }),
  HttpApiEndpoint.get("never", "/never", { success }),
  HttpApiEndpoint.get("reply", "/reply", { success }),
  HttpApiEndpoint.get("stream", "/stream", { success }),
  HttpApiEndpoint.get("tenant", "/tenant", { success }),
  HttpApiEndpoint.get("text", "/text/:name", { params: { name: Schema.String }, success }),
  HttpApiEndpoint.post("write", "/write", {
    payload: Schema.Struct({ text: Schema.String }),
    success
  }).annotate(BodyLimit, 64)
) {}

class LiveApi extends HttpApiGroup.make("live").add(
  HttpApiEndpoint.get("live", "/live", { success })
) {}

export const Routes = Plugin.make("test:routes", {
  routes: [
    Route.public(RoutesApi, (handlers) =>
      handlers.handleAll({
        conflict: () => Effect.fail(new Conflict()),
        defect: () => Effect.die("defect"),
        echo: ({ payload, request }) =>
          Effect.map(Effect.orDie(request.text), (text) => `${payload.text} ${text}`),
        never: () => Effect.never,
        reply: () =>
          Effect.succeed(
            HttpServerResponse.text("reply", { headers: { vary: "Accept", "x-own": "handler" } })
          ),
        stream: () =>
          Effect.succeed(
            HttpServerResponse.stream(Stream.make(new TextEncoder().encode("stream")))
          ),
        tenant: () => Tenant,
        text: ({ params }) => Effect.succeed(params.name),
        write: ({ payload }) => Effect.succeed(payload.text)
      })
    ),
    Route.bare(LiveApi, (handlers) => handlers.handleAll({ live: () => Effect.succeed("alive") }))
  ]
})

/** An app of these endpoints with middleware. */
export const appWith = (...middleware: ReadonlyArray<Middleware.Middleware<never, never>>) =>
  App.make("codecs", [Routes, Plugin.make("test:middleware", { middleware })])

let made = 0

/** Middleware of the same decision for every route. */
export const before = (
  decide: Middleware.Before,
  slot: Middleware.Slot = "Custom"
): Middleware.Middleware<never, never> =>
  Middleware.before(`before-${made++}`, { build: Effect.succeed(() => decide), slot })

/** Middleware of the same wrap for every route. */
export const wrap = (
  around: Middleware.Wrap,
  slot: Middleware.Slot = "Custom"
): Middleware.Middleware<never, never> =>
  Middleware.make(`wrap-${made++}`, { build: Effect.succeed(() => around), slot })

/** A request to `/write`. */
export const json = (text: string, headers?: Readonly<Record<string, string>>): RequestInit => ({
  body: JSON.stringify({ text }),
  headers: { "content-type": "application/json", ...headers },
  method: "POST"
})
