/** The middleware that puts the gate in front of handlers. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { CurrentCaller } from "../../Contract/Authentication.ts"
import { Overloaded } from "../../Contract/Catalogue.ts"
import * as Before from "../../Server/Exchange/Before.ts"
import { CurrentExchange, type Exchange } from "../../Server/Exchange/Exchange.ts"
import * as Problem from "../../Server/Exchange/Problem.ts"
import * as Middleware from "../../Server/Route/Middleware.ts"
import { CallerPriority } from "./CallerPriority.ts"
import { RouteLatency } from "./Concurrency.ts"
import { Guarded } from "./Guarded.ts"
import { OverloadConfig } from "./OverloadConfig.ts"
import * as RouteClass from "./RouteClass.ts"
import { type Reason, Waiting } from "./Waiting.ts"

type Reply = HttpServerResponse.HttpServerResponse

const error = new Overloaded()

/** Returns the function that answers a refused request. */
const refusals = Effect.map(OverloadConfig, ({ retryAfter }) => {
  const seconds = String(Math.max(1, Math.ceil(Duration.toSeconds(retryAfter))))
  return (request: Before.Incoming): Effect.Effect<Reply> =>
    Effect.mapEager(
      Problem.render(error, request),
      HttpServerResponse.setHeader("retry-after", seconds)
    )
})

/**
 * Refuses the requests that the gate would refuse anyway, before they are authenticated and their body
 * is read.
 */
export const early = Middleware.before("overload-early", {
  build: Effect.gen(function* () {
    const { enabled } = yield* OverloadConfig
    const { gate, shedding } = yield* Guarded
    const refusal = yield* refusals
    return (route: Middleware.RouteInfo): Before.Before | undefined => {
      const priority = enabled ? RouteClass.find(route) : undefined
      if (priority === undefined) return undefined
      const { type } = route.access
      const mayRise = type === "protected" || type === "optional"
      const count = shedding.of(route)
      return (request) => {
        if (!gate.isFull(priority, mayRise)) return Before.pass
        gate.refuse()
        count("queue_full")
        return refusal(request)
      }
    }
  }),
  describe: RouteClass.describe,
  slot: "TransportSecurity"
})

/** Calls back once the body is there, at once if it is already. */
const bodyOf = (exchange: Exchange) =>
  Effect.callback<void>((resume) => exchange.readBody(() => resume(Effect.void)))

/** Admits requests, lets them wait, or refuses them. */
export const admission = Middleware.aroundReply("overload", {
  build: Effect.gen(function* () {
    const { enabled } = yield* OverloadConfig
    const { concurrency, flights, gate, now, shedding, watch } = yield* Guarded
    const priorityOf = yield* CallerPriority
    const refusal = yield* refusals
    return (route: Middleware.RouteInfo): Middleware.AroundReply | undefined => {
      const declared = enabled ? RouteClass.find(route) : undefined
      if (declared === undefined) return undefined
      const count = shedding.of(route)
      const latency = new RouteLatency()

      const begin = (exchange: Exchange): void => {
        // A connection that is upgraded or a body that is streamed may last for hours.
        if (exchange.plan.isOpened) return
        flights.set(exchange, concurrency.begin(latency, now()))
      }

      const enter = (
        request: Before.Incoming,
        exchange: Exchange
      ): Effect.Effect<Reply | undefined> => {
        if (gate.tryEnter()) {
          begin(exchange)
          return Before.pass
        }
        const identity = request.get(CurrentCaller)?.identity
        const priority = identity === undefined ? declared : priorityOf(identity, declared)
        if (gate.isFull(priority)) {
          gate.refuse()
          count("queue_full")
          return refusal(request)
        }
        return Effect.callback<Reply | undefined>((resume) => {
          const waiting = new Waiting((refused: Reason | undefined) => {
            if (refused === undefined) {
              begin(exchange)
              return resume(Before.pass)
            }
            count(refused)
            resume(refusal(request))
          })
          gate.wait(waiting, priority)
          watch()
          return Effect.sync(() => gate.leave(waiting))
        })
      }

      return {
        before: (request) => {
          const exchange = request.find(CurrentExchange)!
          // A client that sends its body slowly must not be counted meanwhile.
          return exchange.plan.readsBody && exchange.hasBody && exchange.body === undefined
            ? Effect.flatMap(bodyOf(exchange), () => enter(request, exchange))
            : enter(request, exchange)
        }
      }
    }
  }),
  describe: RouteClass.describe
})

/**
 * Records that a request has its reply. A stream is counted until it begins, and a handler that runs on after
 * its time limit until it ends.
 */
export const end = Middleware.observe("overload-end", {
  build: Effect.map(
    Guarded,
    ({ concurrency, flights, gate, now }) =>
      (route: Middleware.RouteInfo): Middleware.Observe | undefined =>
        RouteClass.find(route) === undefined
          ? undefined
          : (request, status) => {
              const flight = flights.get(request)
              if (flight === undefined) return
              flights.delete(request)
              const replied = now()
              request.find(CurrentExchange)!.afterFiber(() => {
                // How long a request ran that its client has given up tells nothing.
                concurrency.end(flight, replied, status !== 499)
                gate.advance()
              })
            }
  )
})
