/** Does with stock pieces what Flange has no battery for yet: `lib/Missing.ts` lists it. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as RateLimiter from "effect/persistence/RateLimiter"
import { Authentication, Catalogue, Middleware, Plugin } from "../../../src/index.ts"
import { origin, rateLimit } from "../support/Contract.ts"
import { secureHeaders } from "../support/SecureHeaders.ts"

/** Preflights are requests that no route takes. */
const preflight = HttpMiddleware.cors({ allowedOrigins: [origin] })

const limit =
  (limiter: RateLimiter.RateLimiter): Middleware.Wrap =>
  (next) =>
    Effect.flatMap(Authentication.CurrentCaller, (caller) => {
      const key = caller?.identity?.subject
      if (key === undefined) return next
      return Effect.matchEffect(
        limiter.consume({ key, limit: rateLimit.max, window: rateLimit.windowMillis }),
        {
          onFailure: () => HttpServerRespondable.toResponse(new Catalogue.RateLimited()),
          onSuccess: ({ limit, remaining, resetAfter }) =>
            Effect.map(
              next,
              HttpServerResponse.setHeaders({
                "ratelimit-limit": String(limit),
                "ratelimit-remaining": String(remaining),
                "ratelimit-reset": String(Math.ceil(Duration.toSeconds(resetAfter)))
              })
            )
        }
      )
    })

const limiter = RateLimiter.layer.pipe(Layer.provide(RateLimiter.layerStoreMemory))

export const StandIns = Plugin.make("bench:stand-ins", {
  layer: limiter,
  middleware: [
    Middleware.headers("secure-headers", { build: Effect.succeed(() => secureHeaders) }),
    Middleware.headers("cors", {
      build: Effect.succeed(() => ({ "access-control-allow-origin": origin, vary: "Origin" }))
    }),
    Middleware.make("preflight", {
      build: Effect.succeed(({ method }) => (method === "*" ? preflight : undefined)),
      slot: "TransportSecurity"
    }),
    Middleware.make("rate-limit", {
      build: Effect.map(RateLimiter.RateLimiter, (limiter) => () => limit(limiter)),
      slot: "RateLimit"
    })
  ],
  provides: [RateLimiter.RateLimiter]
})
