/** The middleware that answers from the cache, and stores replies. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { HttpServerRequest, ParsedSearchParams } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as StrictQuery from "../../../Contract/StrictQuery.ts"
import * as Before from "../../../Server/Exchange/Before.ts"
import * as RequestFields from "../../../Server/Exchange/RequestFields.ts"
import * as Middleware from "../../../Server/Route/Middleware.ts"
import { ServerConfig } from "../../../Server/ServerConfig.ts"
import type { TagName } from "../Contract.ts"
import { ObjectCache, type Shape } from "../ObjectCache.ts"
import * as CachedRoute from "./CachedRoute.ts"
import * as Directives from "./Directives.ts"
import * as Inputs from "./Inputs.ts"
import * as StoredReply from "./StoredReply.ts"

/** A request for a cached reply that the memory of the process does not have. */
interface Pending extends Inputs.Asked {
  readonly conditions: StoredReply.Conditions
  /** Whether the handler runs, and its reply is not stored. */
  readonly isBypass: boolean
  readonly tags: ReadonlyArray<TagName>
  readonly wanted: Directives.Wanted | undefined
}

class PendingReply extends Context.Service<PendingReply, Pending>()("flange/Cache/PendingReply") {}

/** The reply of a handler that must not be stored. Only its own request may have it. */
class NotStored extends Data.TaggedError("NotStored")<{
  readonly response: HttpServerResponse.HttpServerResponse
}> {}

const fieldOf = { BYPASS: "bypass", HIT: "hit", MISS: "miss" } as const

const around = (
  cache: Shape,
  route: CachedRoute.CachedRoute,
  isStrict: boolean
): Middleware.AroundReply => {
  const { rules, tagsOf } = route
  const inputs = Inputs.make(route)
  const { schema, ttl } = { schema: StoredReply.StoredReply, ttl: rules.ttl }

  const before: Before.Before = (request) => {
    // The handler's codec refuses the request.
    if (isStrict && inputs.hasUnknown(request.searchParams)) return Before.pass
    const asked = inputs.asked(request)
    if (asked === undefined) return Before.pass
    const wanted = Directives.wanted(request.header("cache-control"), request.header("pragma"))
    const conditions = {
      ifModifiedSince: request.header("if-modified-since"),
      ifNoneMatch: request.header("if-none-match")
    }
    const tags = tagsOf(request.params)
    let isBypass = wanted === undefined
    if (wanted !== undefined) {
      const now = request.now()
      const reply = cache.peek(asked.key, { schema, tags }, now)
      if (reply !== undefined) {
        if (Directives.accepts(wanted, now - reply.at, ttl)) {
          request.annotate(hit)
          request.setHeader("age", StoredReply.ageOf(reply, now))
          return StoredReply.toHit(reply, conditions)
        }
        isBypass = true
      }
    }
    request.provide(PendingReply, { ...asked, conditions, isBypass, tags, wanted })
    return Before.pass
  }

  const wrap: Middleware.Wrap = (next) =>
    Effect.withFiber((fiber) => {
      const pending = Context.getOrUndefined(
        // `before` has provided it, unless the request is not for the cache.
        fiber.context as Context.Context<PendingReply>,
        PendingReply
      )
      const seen = pending?.request()
      if (pending === undefined || seen === undefined) return next
      const { conditions, isBypass, key, tags, wanted } = pending
      const handled = next.pipe(
        Effect.provideService(HttpServerRequest, Inputs.requestOf(route, seen)),
        Effect.provideService(ParsedSearchParams, seen.query)
      )
      const told = (result: StoredReply.Result) =>
        RequestFields.write(fiber, { cache: fieldOf[result] })
      const storable = (response: HttpServerResponse.HttpServerResponse) => {
        return StoredReply.of(response, { headers: inputs.headers, now: timeOf(fiber), rules })
      }
      const sent = (reply: StoredReply.StoredReply, result: StoredReply.Result) => {
        told(result)
        const age = StoredReply.ageOf(reply, timeOf(fiber))
        const response = StoredReply.toResponse(reply, conditions, result)
        return Effect.succeed(HttpServerResponse.setHeader(response, "age", age))
      }
      const alone = (
        response: HttpServerResponse.HttpServerResponse,
        result: StoredReply.Result
      ) => {
        const reply = storable(response)
        if (reply !== undefined) return sent(reply, result)
        told(result)
        return Effect.succeed(HttpServerResponse.setHeader(response, "x-cache", result))
      }
      const run = (result: StoredReply.Result) =>
        Effect.flatMap(handled, (response) => alone(response, result))
      if (isBypass || wanted === undefined) return run("BYPASS")
      let isMine = false
      const load = Effect.flatMap(handled, (response) => {
        isMine = true
        const reply = storable(response)
        return reply === undefined
          ? Effect.fail(new NotStored({ response }))
          : Effect.succeed(reply)
      })
      return Effect.matchEffect(cache.getOrLoad(key, { schema, tags, ttl }, load), {
        onFailure: ({ response }) => (isMine ? alone(response, "MISS") : run("MISS")),
        onSuccess: (reply) => {
          if (isMine) return sent(reply, "MISS")
          return Directives.accepts(wanted, timeOf(fiber) - reply.at, ttl)
            ? sent(reply, "HIT")
            : run("BYPASS")
        }
      })
    })

  return { before, wrap }
}

/** Returns Unix milliseconds by the clock of a fiber. */
const timeOf = (fiber: Fiber.Fiber<unknown, unknown>): number =>
  fiber.getRef(Clock.Clock).currentTimeMillisUnsafe()

const hit = { cache: fieldOf.HIT }

/** Answers requests to cached routes from the cache. */
export const middleware = Middleware.aroundReply("response-cache", {
  build: Effect.gen(function* () {
    const cache = yield* ObjectCache
    const { strictQuery } = yield* ServerConfig
    return (info: Middleware.RouteInfo) => {
      const route = CachedRoute.find(info)
      if (route === undefined) return undefined
      const annotations = Context.merge(info.contract!.annotations, route.endpoint.annotations)
      return around(cache, route, StrictQuery.of(annotations) ?? strictQuery)
    }
  }),
  describe: CachedRoute.describe
})
