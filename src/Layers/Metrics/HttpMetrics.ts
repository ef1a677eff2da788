/** The metrics of requests. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Metering from "../../Plugin/Metering.ts"
import * as Methods from "../../Server/Exchange/Methods.ts"
import { OpenExchanges } from "../../Server/Exchange/Serving.ts"
import * as Middleware from "../../Server/Route/Middleware.ts"
import { Histogram } from "./Histogram.ts"

/** The boundaries of the conventions, in seconds. */
const seconds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

const bytes = [100, 1e3, 1e4, 1e5, 1e6, 1e7]

/** Returns the attributes of a route. An unknown path has no route, so all of them are one series. */
const attributesOf = (method: string, path: string): Readonly<Record<string, string>> => ({
  "http.request.method": Methods.isKnown(method) ? method : Methods.other,
  ...(path === "*" ? {} : { "http.route": path })
})

/** The series of one route for one method, status and error. */
interface Series {
  readonly duration: Histogram
  readonly error: string | undefined
  readonly method: string
  /** Undefined until a request with a body of known size. */
  requestSize: Histogram | undefined
  /** Undefined until a reply of known size. */
  responseSize: Histogram | undefined
  readonly status: number
}

const measure = (route: Middleware.RouteInfo, context: Context.Context<never>) => {
  const known = new Map<string, Series>()
  const attributes = (method: string, status: number, error: string | undefined) => ({
    ...attributesOf(method, route.path),
    "http.response.status_code": String(status),
    ...(error === undefined ? {} : { "error.type": error })
  })

  const sizeOf = ({ error, method, status }: Series, kind: "request" | "response") =>
    new Histogram(
      `http.server.${kind}.body.size`,
      {
        attributes: { ...attributes(method, status, error), unit: "By" },
        boundaries: bytes,
        description: `Size of the bodies of HTTP server ${kind}s, if it is known from the start`
      },
      context
    )

  const find = (sent: string, status: number, error: string | undefined): Series => {
    // Callers of unknown paths choose the method.
    const method = Methods.isKnown(sent) ? sent : Methods.other
    const key = `${method} ${status} ${error}`
    let series = known.get(key)
    if (series === undefined) {
      const duration = new Histogram(
        "http.server.request.duration",
        {
          attributes: { ...attributes(method, status, error), unit: "s" },
          boundaries: seconds,
          description: "Duration of HTTP server requests, until the head of the reply is known"
        },
        context
      )
      series = { duration, error, method, requestSize: undefined, responseSize: undefined, status }
      known.set(key, series)
    }
    return series
  }

  let last: Series | undefined
  const observe: Middleware.Observe = (request, status) => {
    const error = status < 500 ? undefined : (request.code ?? String(status))
    // Most requests of a route end like the one before.
    if (
      last === undefined ||
      last.status !== status ||
      last.method !== request.method ||
      last.error !== error
    ) {
      last = find(request.method, status, error)
    }
    const { requestSize, responseSize, trace } = request
    last.duration.record(request.elapsed() / 1000, trace, request)
    if (requestSize !== undefined) {
      last.requestSize ??= sizeOf(last, "request")
      last.requestSize.record(requestSize, trace, request)
    }
    if (responseSize !== undefined) {
      last.responseSize ??= sizeOf(last, "response")
      last.responseSize.record(responseSize, trace, request)
    }
  }
  return observe
}

/**
 * Middleware of the slot `Logging`: measures each request but those of bare routes. `error.type` is the
 * code of the problem document, for a status of 500 or more.
 *
 * Source: OpenTelemetry semantic conventions for HTTP metrics.
 */
export const requests = Middleware.observe("metrics", {
  build: Effect.gen(function* () {
    const context = yield* Effect.context<OpenExchanges>()
    const open = yield* OpenExchanges
    return (route) => {
      Metering.register(
        {
          attributes: attributesOf(route.method, route.path),
          description: "HTTP server requests that have not ended",
          id: "http.server.active_requests",
          read: () => open.ofRoute(route),
          type: "gauge"
        },
        context
      )
      return measure(route, context)
    }
  })
})
