/** Does with stock pieces what Flange has no battery for yet. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as RateLimiter from "effect/persistence/RateLimiter"
import {
  Authentication,
  Catalogue,
  CurrentIdentity,
  Middleware,
  Plugin
} from "../../../src/index.ts"
import { origin, rateLimit } from "../support/Contract.ts"
import { secureHeaders } from "../support/SecureHeaders.ts"
import { verify } from "./Verify.ts"

const cors = HttpMiddleware.cors({ allowedOrigins: [origin] })

/** Bearer token, then the limit of its subject: the slot `RateLimit` does not know the caller yet. */
const layer = Layer.effect(
  Authentication.Default,
  Effect.map(
    RateLimiter.RateLimiter,
    (limiter) => (next: Effect.Effect<HttpServerResponse.HttpServerResponse, unknown, never>) =>
      Effect.gen(function* () {
        const request = yield* HttpServerRequest
        const authorization = request.headers["authorization"]
        if (authorization === undefined || !authorization.startsWith("Bearer ")) {
          return yield* new Catalogue.Unauthenticated()
        }
        const claims = yield* Effect.mapError(
          verify(authorization.slice(7)),
          () => new Catalogue.Unauthenticated()
        )
        const limit = yield* Effect.option(
          limiter.consume({
            key: claims.subject,
            limit: rateLimit.max,
            window: rateLimit.windowMillis
          })
        )
        if (limit._tag === "None") {
          return yield* HttpServerRespondable.toResponse(new Catalogue.RateLimited())
        }
        const response = yield* Effect.provideService(next, CurrentIdentity, {
          attributes: {},
          displayName: claims.subject,
          isPrivileged: false,
          isServiceAccount: false,
          method: "jwt",
          scopes: claims.scopes,
          subject: claims.subject
        })
        return HttpServerResponse.setHeaders(response, {
          "ratelimit-limit": String(limit.value.limit),
          "ratelimit-remaining": String(limit.value.remaining),
          "ratelimit-reset": String(Math.ceil(Duration.toSeconds(limit.value.resetAfter)))
        })
      })
  )
).pipe(Layer.provide(RateLimiter.layer.pipe(Layer.provide(RateLimiter.layerStoreMemory))))

export const StandIns = Plugin.make("bench:stand-ins", {
  layer,
  middleware: [
    Middleware.make("secure-headers", {
      build: Effect.succeed(
        () => (next) => Effect.map(next, HttpServerResponse.setHeaders(secureHeaders))
      ),
      slot: "TransportSecurity"
    }),
    Middleware.make("cors", { build: Effect.succeed(() => cors), slot: "TransportSecurity" })
  ],
  provides: [Authentication.Default]
})
