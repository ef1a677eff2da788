/** One line per request. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { ClientAbort } from "effect/http/HttpServerError"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"
import * as Middleware from "../../Server/Middleware.ts"
import { RequestFields } from "../../Server/RequestFields.ts"
import { LoggingConfig, toEffect } from "./LoggingConfig.ts"

/** The fields of an access line, as annotations of its log entry. `requestId` is there as on every line. */
export interface Access {
  /** Milliseconds from the slot on the way in until the reply's head is known, to a tenth. */
  readonly durationMs: number
  readonly method: string
  /** The path that was asked for, without its query. */
  readonly path: string
  /** The path template; `*` where no route matched. */
  readonly route: string
  /** The reply's status; 499 where the client went away before it, 503 where the drain cut the request off. */
  readonly status: number
}

/** Whether the annotations are those of an access line. */
export const isAccess = (annotations: Readonly<Record<string, unknown>>): boolean =>
  annotations["durationMs"] !== undefined && annotations["route"] !== undefined

/**
 * Middleware of the slot `Logging`: writes one line of level info for each
 * request, such as `GET /v1/items/:id 200 3ms`, with the fields of `Access` and
 * those that anybody put into `RequestFields`.
 * Bare routes have no slots, so they have no line. When the level is above info,
 * nothing is put around the routes.
 */
export const accessLog = Middleware.make("access-log", {
  build: Effect.map(LoggingConfig, ({ level }) =>
    LogLevel.isGreaterThan(toEffect(level), "Info") ? () => undefined : around
  ),
  slot: "Logging"
})

const around =
  (route: Middleware.RouteInfo): Middleware.Wrap =>
  (next) =>
    Effect.withFiber((fiber) => {
      const request = Context.getUnsafe(fiber.context, HttpServerRequest)
      const clock = fiber.getRef(Clock.Clock)
      const annotations = fiber.getRef(References.CurrentLogAnnotations)
      const start = clock.monotonicTimeNanosUnsafe()
      return Effect.onExit(next, (exit) => {
        const nanos = clock.monotonicTimeNanosUnsafe() - start
        const access: Access = {
          durationMs: Number(nanos / 100_000n) / 10,
          method: request.method,
          path: pathOf(request.url),
          route: route.path,
          status: statusOf(exit)
        }
        const asked = route.path === "*" ? access.path : route.path
        const millis = Math.round(access.durationMs)
        return Effect.provideService(
          Effect.logInfo(`${access.method} ${asked} ${access.status} ${millis}ms`),
          References.CurrentLogAnnotations,
          { ...annotations, ...fiber.getRef(RequestFields), ...access }
        )
      })
    })

const statusOf = (exit: Exit.Exit<HttpServerResponse>): number => {
  if (exit._tag === "Success") return exit.value.status
  const { reasons } = exit.cause
  if (reasons.some((reason) => reason._tag === "Die")) return 500
  return reasons.some(
    (reason) => reason._tag === "Interrupt" && reason.annotations.has(ClientAbort.key)
  )
    ? 499
    : 503
}

const pathOf = (url: string): string => {
  const end = url.search(/[?#]/)
  return end === -1 ? url : url.slice(0, end)
}
