/** Counts the requests of callers, and refuses those that are too many. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { CurrentCaller } from "../../Server/Authentication.ts"
import { RateLimited } from "../../Server/Catalogue.ts"
import * as ClientIp from "../../Server/ClientIp.ts"
import * as Middleware from "../../Server/Middleware.ts"
import * as Problem from "../../Server/Problem.ts"
import { RequestId } from "../../Server/RequestId.ts"
import * as Key from "./Key.ts"
import * as Limit from "./Limit.ts"
import { RateLimitConfig } from "./RateLimitConfig.ts"
import { type Shape, Store } from "./Store.ts"

/** The reply to a caller that has to wait, with the fixed text of the catalogue. */
const refused = (rateLimit: string, seconds: number) =>
  Effect.withFiber((fiber) =>
    Effect.map(
      Problem.render(new RateLimited(), {
        // Middleware runs in the fiber of a request.
        request: Context.getUnsafe(
          fiber.context as Context.Context<HttpServerRequest>,
          HttpServerRequest
        ),
        requestId: fiber.getRef(RequestId)
      }),
      HttpServerResponse.setHeaders({ ratelimit: rateLimit, "retry-after": String(seconds) })
    )
  )

const wrap = (store: Shape, exempt: ReadonlySet<string>, limit: Limit.Limit): Middleware.Wrap => {
  const { burst, name, refillMillis, refillRate } = limit
  const item = `${Limit.quoted(name)};r=`
  return (next) => {
    const count = (key: string): Middleware.Next => {
      if (exempt.size > 0 && exempt.has(key)) return next
      const taken = store.tokenBucket({
        allowOverflow: false,
        key: `${name}|${key}`,
        limit: burst,
        refillRate,
        tokens: 1
      })
      return Effect.matchEffect(taken, {
        // A limit protects the service; a store that is down must not be its end.
        onFailure: (error) =>
          Effect.andThen(Effect.logError("Requests are not limited", error), next),
        onSuccess: ([remaining, elapsed]) => {
          // Until the next token comes the caller can send no more than what is left.
          const seconds = Math.max(1, Math.ceil((refillMillis - elapsed) / 1000))
          return remaining < 0
            ? refused(`${item}0;t=${seconds}`, seconds)
            : Effect.map(
                next,
                HttpServerResponse.setHeader("ratelimit", `${item}${remaining};t=${seconds}`)
              )
        }
      })
    }
    return Effect.withFiber((fiber) => {
      const caller = fiber.getRef(CurrentCaller)
      return caller?.identity === undefined
        ? Effect.flatMap(ClientIp.current, (address) => count(Key.ofAddress(address)))
        : count(Key.ofCaller(caller.chain, caller.identity.subject))
    })
  }
}

const limiting = (serves: (route: Middleware.RouteInfo) => boolean) =>
  Effect.gen(function* () {
    const config = yield* RateLimitConfig
    const store = yield* Store
    const exempt = new Set(config.exempt)
    return (route: Middleware.RouteInfo): Middleware.Wrap | undefined => {
      const limit = serves(route) ? Limit.of(config, route) : undefined
      return limit && wrap(store, exempt, limit)
    }
  })

/** Limits callers behind authentication. */
export const callers = Middleware.make("rate-limit", {
  build: limiting(({ access }) => access.type !== "public"),
  slot: "RateLimit"
})

/** Limits public routes that ask for it. They have no slot `RateLimit`; this is the last one before a transaction. */
export const visitors = Middleware.make("rate-limit-public", {
  build: limiting(({ access }) => access.type === "public"),
  slot: "Logging"
})

/** Says on every reply of a limited route what its limit is. */
export const policies = Middleware.headers("rate-limit-policy", {
  build: Effect.map(RateLimitConfig, (config) => (route: Middleware.RouteInfo) => {
    const limit = Limit.of(config, route)
    return limit && { "ratelimit-policy": limit.text }
  })
})
