/** Counts the requests of callers, and refuses those above a limit. */
import * as Effect from "effect/Effect"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { RateLimited, ServiceUnavailable } from "../../Contract/Catalogue.ts"
import { AppRuntime } from "../../Plugin/AppRuntime.ts"
import * as Metering from "../../Plugin/Metering.ts"
import * as Before from "../../Server/Exchange/Before.ts"
import * as Middleware from "../../Server/Route/Middleware.ts"
import { Guard } from "./Guard.ts"
import * as Key from "./Key.ts"
import * as Limit from "./Limit.ts"
import { MemoryStore } from "./MemoryStore.ts"
import { RateLimitConfig } from "./RateLimitConfig.ts"
import type { Take, Taken } from "./Rule.ts"
import { type Shape, Store } from "./Store.ts"

/** The reply to a caller that has to wait, with the fixed text of the catalogue. */
const refused = (seconds: number) =>
  Effect.map(limited, HttpServerResponse.setHeader("retry-after", String(seconds)))

const limited = HttpServerRespondable.toResponse(new RateLimited())

/** The reply to a request that nobody can decide about. */
const undecided = Effect.map(
  HttpServerRespondable.toResponse(new ServiceUnavailable()),
  HttpServerResponse.setHeader("retry-after", "1")
)

/** The stores behind guards. Both limiters of an app use one guard. */
const guards = new WeakMap<Shape, Guard>()

/** Returns the store as it is asked: one in memory decides at once, and cannot fail. */
const guarded = (
  store: Shape,
  config: (typeof RateLimitConfig)["Service"]
): Guard | MemoryStore => {
  if (store instanceof MemoryStore) return store
  const found = guards.get(store) ?? new Guard(store, config)
  guards.set(store, found)
  return found
}

type Outcome = "allowed" | "exempt" | "failed" | "limited"

/** A limit with what it needs for each request. */
interface Prepared extends Limit.Limit {
  readonly count: Readonly<Record<Outcome, () => void>>
  /** The item of `RateLimit` up to the number. */
  readonly item: string
  readonly keyOf: (request: Before.Incoming) => string
}

/** Sets `RateLimit`, counts, and returns the reply of a request that has to wait. */
const settle = (
  request: Before.Incoming,
  limits: ReadonlyArray<Prepared>,
  takens: ReadonlyArray<Taken>,
  isSecond: boolean
) => {
  let value = ""
  let wait = 0
  for (const [i, { remaining, resetMillis, waitMillis }] of takens.entries()) {
    if (i > 0) value += ", "
    value += `${limits[i]!.item}${Limit.integer(remaining)};t=${Math.ceil(resetMillis / 1000)}`
    if (waitMillis > wait) wait = waitMillis
  }
  // Limits that were checked before authentication have set the header already.
  if (isSecond) request.appendHeader("ratelimit", value)
  else request.setHeader("ratelimit", value)
  for (const [i, { count }] of limits.entries()) {
    if (wait === 0) count.allowed()
    else if (takens[i]!.waitMillis > 0) count.limited()
  }
  return wait === 0 ? Before.pass : refused(Math.ceil(wait / 1000))
}

interface Decider {
  readonly exempt: ReadonlySet<string>
  /** Whether requests pass that the store does not decide about. */
  readonly isOpen: boolean
  /** Whether other limits of the route were checked before. */
  readonly isSecond: boolean
  readonly store: Guard | MemoryStore
}

const limiter = (
  limits: ReadonlyArray<Prepared>,
  { exempt, isOpen, isSecond, store }: Decider
): Before.Before => {
  const decide = (
    request: Before.Incoming,
    asked: ReadonlyArray<Prepared>,
    takes: ReadonlyArray<Take>
  ) =>
    store instanceof MemoryStore
      ? settle(request, asked, store.takeNow(takes, request.now()), isSecond)
      : Effect.flatMap(store.take(takes), (takens) => {
          if (takens !== undefined) return settle(request, asked, takens, isSecond)
          for (const { count } of asked) count.failed()
          return isOpen ? Before.pass : undecided
        })

  return (request) => {
    const takes = limits.map(({ keyOf, name, rule }) => ({ key: keyOf(request), name, rule }))
    if (exempt.size === 0) return decide(request, limits, takes)
    const isExempt = takes.map(({ key }) => exempt.has(key))
    for (const [i, { count }] of limits.entries()) if (isExempt[i]) count.exempt()
    const asked = limits.filter((_, i) => !isExempt[i])
    return asked.length === 0
      ? Before.pass
      : decide(
          request,
          asked,
          takes.filter((_, i) => !isExempt[i])
        )
  }
}

/** Builds the limiter of the limits for which `isMine` is true. */
const build = (isMine: (limit: Pick<Limit.Declared, "by">) => boolean) =>
  Effect.gen(function* () {
    const config = yield* RateLimitConfig
    const { contributions } = yield* AppRuntime
    const store = yield* Store
    const counter = Metering.counter(
      yield* Effect.context<never>(),
      "flange.rate_limit.requests",
      "Requests to routes with a rate limit"
    )
    const extractors = new Map(contributions(Key.kind).map(({ name, value }) => [name, value]))
    const decider = {
      exempt: new Set(config.exempt.map(Key.bounded)),
      isOpen: config.onOutage === "open",
      store: guarded(store, config)
    }
    const prepare = (limit: Limit.Limit): ReadonlyArray<Prepared> => {
      const count = (outcome: Outcome) =>
        counter({ "flange.rate_limit.name": limit.name, "flange.rate_limit.outcome": outcome })
      const keyOf = Key.make(limit.by, extractors)
      return keyOf === undefined
        ? []
        : [
            {
              ...limit,
              count: {
                allowed: count("allowed"),
                exempt: count("exempt"),
                failed: count("failed"),
                limited: count("limited")
              },
              item: `${Limit.quoted(limit.name)};r=`,
              keyOf
            }
          ]
    }
    return (route: Middleware.RouteInfo): Before.Before | undefined => {
      const all = Limit.find(config, route)
      const mine = all.filter(isMine).flatMap(prepare)
      return mine.length === 0
        ? undefined
        : limiter(mine, {
            ...decider,
            isSecond: mine.length < all.length && !mine.some(Limit.isEarly)
          })
    }
  })

/** Describes the limits for which `isMine` is true; undefined if a route has none. */
const describe =
  (isMine: (limit: Limit.Declared) => boolean): Middleware.Describe =>
  (route) => {
    const limits = Limit.declared(route).filter(isMine)
    return limits.length === 0
      ? undefined
      : { errors: [RateLimited], rateLimits: limits.map(Limit.describe) }
  }

const isLate = (limit: Pick<Limit.Declared, "by">): boolean => !Limit.isEarly(limit)

/**
 * Limits the requests of each address, on routes with such a policy, before authentication. It is in
 * the slot in front of it, and so runs on public routes too.
 */
export const addresses = Middleware.before("rate-limit-by-address", {
  build: build(Limit.isEarly),
  describe: describe(Limit.isEarly),
  slot: "Logging"
})

/** Limits the requests of each caller, on routes that have a limit. */
export const requests = Middleware.before("rate-limit", {
  build: build(isLate),
  describe: describe(isLate),
  slot: "RateLimit"
})

/** Sets `RateLimit-Policy` on every reply of a limited route. */
export const policies = Middleware.headers("rate-limit-policy", {
  build: Effect.map(RateLimitConfig, (config) => (route: Middleware.RouteInfo) => {
    const limits = Limit.find(config, route)
    return limits.length === 0
      ? undefined
      : { "ratelimit-policy": limits.map(({ text }) => text).join(", ") }
  }),
  describe: (route) => (Limit.declared(route).length === 0 ? undefined : { errors: [RateLimited] })
})
