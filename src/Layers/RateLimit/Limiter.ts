/** Counts the requests of callers, and refuses those above the limit. */
import * as Effect from "effect/Effect"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { CurrentCaller } from "../../Contract/Authentication.ts"
import { RateLimited } from "../../Contract/Catalogue.ts"
import * as Metering from "../../Plugin/Metering.ts"
import * as Before from "../../Server/Exchange/Before.ts"
import * as ClientIp from "../../Server/Exchange/ClientIp.ts"
import * as Middleware from "../../Server/Route/Middleware.ts"
import * as Key from "./Key.ts"
import * as Limit from "./Limit.ts"
import { RateLimitConfig } from "./RateLimitConfig.ts"
import { Memory, type Shape, Store } from "./Store.ts"

/** The reply to a caller that has to wait, with the fixed text of the catalogue. */
const refused = (seconds: number) =>
  Effect.map(limited, HttpServerResponse.setHeader("retry-after", String(seconds)))

const limited = HttpServerRespondable.toResponse(new RateLimited())

/** Counts the requests of a limit. */
type Count = (outcome: "allowed" | "exempt" | "failed" | "limited") => () => void

const limiter = (
  store: Shape,
  exempt: ReadonlySet<string>,
  limit: Limit.Limit,
  count: Count
): Before.Before => {
  const { burst, name, refillMillis, refillRate } = limit
  const allowed = count("allowed")
  const failed = count("failed")
  const isExempt = count("exempt")
  const isLimited = count("limited")
  const item = `${Limit.quoted(name)};r=`
  const bucket = { allowOverflow: false, limit: burst, tokens: 1 }
  const buckets = store instanceof Memory ? store.buckets : undefined

  const settle = (
    request: Before.Incoming,
    [remaining, elapsed]: readonly [remaining: number, elapsedMillis: number]
  ) => {
    // Until the next token, the caller can send only the remaining requests.
    const seconds = Math.max(1, Math.ceil((refillMillis - elapsed) / 1000))
    request.setHeader("ratelimit", `${item}${Math.max(0, remaining)};t=${seconds}`)
    if (remaining < 0) {
      isLimited()
      return refused(seconds)
    }
    allowed()
    return Before.pass
  }

  return (request) => {
    const caller = keyOf(request)
    if (exempt.size > 0 && exempt.has(caller)) {
      isExempt()
      return Before.pass
    }
    const key = `${name}|${caller}`
    return buckets !== undefined
      ? settle(request, buckets.take({ ...bucket, key, now: request.now(), refillMillis }))
      : Effect.matchEffect(store.tokenBucket({ ...bucket, key, refillRate }), {
          // A limit protects the service, so a store that is down must not stop the service.
          onFailure: (error) => {
            failed()
            return Effect.andThen(Effect.logError("Requests are not limited", error), Before.pass)
          },
          onSuccess: (taken) => settle(request, taken)
        })
  }
}

const keyOf = (request: Before.Incoming): string => {
  const caller = request.get(CurrentCaller)
  return caller?.identity === undefined
    ? Key.address(ClientIp.resolve(request))
    : Key.caller(caller.chain, caller.identity.subject)
}

/** Limits the requests of each caller, on routes that have a limit. */
export const requests = Middleware.before("rate-limit", {
  build: Effect.gen(function* () {
    const config = yield* RateLimitConfig
    const store = yield* Store
    const exempt = new Set(config.exempt)
    const counter = Metering.counter(
      yield* Effect.context<never>(),
      "flange.rate_limit.requests",
      "Requests to routes with a rate limit"
    )
    return (route: Middleware.RouteInfo): Before.Before | undefined => {
      const limit = Limit.find(config, route)
      return (
        limit &&
        limiter(store, exempt, limit, (outcome) =>
          counter({ "flange.rate_limit.name": limit.name, "flange.rate_limit.outcome": outcome })
        )
      )
    }
  }),
  describe: Limit.describe,
  slot: "RateLimit"
})

/** Sets `RateLimit-Policy` on every reply of a limited route. */
export const policies = Middleware.headers("rate-limit-policy", {
  build: Effect.map(RateLimitConfig, (config) => (route: Middleware.RouteInfo) => {
    const limit = Limit.find(config, route)
    return limit && { "ratelimit-policy": limit.text }
  }),
  describe: Limit.describe
})
