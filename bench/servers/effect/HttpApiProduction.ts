/** `production` with stock Effect: its own middleware where it has one, else the shortest that does it. */
import { randomUUID } from "node:crypto"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiError from "effect/http-api/HttpApiError"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as HttpApiSecurity from "effect/http-api/HttpApiSecurity"
import * as HttpRouter from "effect/http/HttpRouter"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as RateLimiter from "effect/persistence/RateLimiter"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { createItem, findItem, origin, rateLimit, scopes } from "../support/Contract.ts"
import { secureHeaders } from "../support/SecureHeaders.ts"
import { Item, NewItem } from "./ItemSchemas.ts"
import { type Claims, verify } from "./Verify.ts"

class Unauthenticated extends HttpApiError.Problem<Unauthenticated>()("Unauthenticated", {
  status: 401,
  title: "Unauthorized",
  type: "urn:problem:unauthenticated"
}) {}

class Forbidden extends HttpApiError.Problem<Forbidden>()("Forbidden", {
  status: 403,
  title: "Forbidden",
  type: "urn:problem:forbidden"
}) {}

class ItemNotFound extends HttpApiError.Problem<ItemNotFound>()("ItemNotFound", {
  status: 404,
  title: "Item not found",
  type: "urn:problem:item-not-found"
}) {}

class RateLimited extends HttpApiError.Problem<RateLimited>()("RateLimited", {
  status: 429,
  title: "Too many requests",
  type: "urn:problem:rate-limited"
}) {}

class CurrentClaims extends Context.Service<CurrentClaims, Claims>()("bench/Claims") {}

class Authorization extends HttpApiMiddleware.Service<Authorization, { provides: CurrentClaims }>()(
  "bench/Authorization",
  {
    error: [RateLimited, Unauthenticated],
    security: { bearer: HttpApiSecurity.bearer }
  }
) {}

class ItemsApi extends HttpApiGroup.make("items")
  .add(
    HttpApiEndpoint.post("create", "/v1/items", {
      error: Forbidden,
      payload: NewItem,
      success: Item.pipe(HttpApiSchema.status(201))
    }),
    HttpApiEndpoint.get("read", "/v1/items/:id", {
      error: [Forbidden, ItemNotFound],
      params: { id: Schema.Int },
      success: Item
    })
  )
  .middleware(Authorization)
  .middleware(HttpApiMiddleware.ProblemDetails) {}

const api = HttpApi.make("bench").add(ItemsApi)

const requireScope = (scope: string) =>
  Effect.flatMap(CurrentClaims, (claims) =>
    claims.scopes.has(scope)
      ? Effect.void
      : Effect.fail(new Forbidden({ detail: `Needs ${scope}` }))
  )

const Items = HttpApiBuilder.group(api, "items", (handlers) =>
  handlers.handleAll({
    create: ({ payload }) => Effect.as(requireScope(scopes.write), createItem(payload)),
    read: ({ params }) =>
      Effect.flatMap(requireScope(scopes.read), () => {
        const item = findItem(params.id)
        return item === undefined
          ? Effect.fail(new ItemNotFound({ detail: `Item ${params.id} does not exist` }))
          : Effect.succeed(item)
      })
  })
)

const AuthorizationLive = Layer.effect(
  Authorization,
  Effect.map(RateLimiter.RateLimiter, (limiter) =>
    Authorization.of({
      bearer: (next, { credential }) =>
        Effect.gen(function* () {
          const claims = yield* Effect.mapError(
            verify(Redacted.value(credential)),
            () => new Unauthenticated({ detail: "Authentication is required" })
          )
          const { limit, remaining, resetAfter } = yield* Effect.mapError(
            limiter.consume({
              key: claims.subject,
              limit: rateLimit.max,
              window: rateLimit.windowMillis
            }),
            () => new RateLimited()
          )
          const response = yield* Effect.provideService(next, CurrentClaims, claims)
          return HttpServerResponse.setHeaders(response, {
            "ratelimit-limit": String(limit),
            "ratelimit-remaining": String(remaining),
            "ratelimit-reset": String(Math.ceil(Duration.toSeconds(resetAfter)))
          })
        })
    })
  )
).pipe(Layer.provide(RateLimiter.layer.pipe(Layer.provide(RateLimiter.layerStoreMemory))))

const accepted = /^[A-Za-z0-9._-]{1,128}$/

/** Request id, access line and secure headers. */
const edge = HttpRouter.middleware(
  (next) =>
    Effect.gen(function* () {
      const start = performance.now()
      const request = yield* HttpServerRequest
      const given = request.headers["x-request-id"]
      const requestId = given !== undefined && accepted.test(given) ? given : randomUUID()
      const response = yield* next
      yield* Effect.annotateLogs(Effect.logInfo("request"), {
        method: request.method,
        ms: performance.now() - start,
        requestId,
        status: response.status,
        url: request.url
      })
      return HttpServerResponse.setHeaders(response, {
        ...secureHeaders,
        "x-request-id": requestId
      })
    }),
  { global: true }
)

export const production = HttpApiBuilder.layer(api).pipe(
  Layer.provide(Items),
  Layer.provide([AuthorizationLive, HttpApiMiddleware.layerProblemDetails()]),
  Layer.merge(edge),
  Layer.merge(HttpRouter.cors({ allowedOrigins: [origin] }))
)
