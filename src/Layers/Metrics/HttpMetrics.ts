/** The metrics of requests. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type { OpenExchanges } from "../../Server/Exchange/Serving.ts"
import * as Middleware from "../../Server/Route/Middleware.ts"
import * as Reading from "./Reading.ts"

/** The boundaries of the conventions, in seconds. */
const boundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

/** The methods with a series of their own. Callers can send any other. */
const methods = new Set([
  "CONNECT",
  "DELETE",
  "GET",
  "HEAD",
  "OPTIONS",
  "PATCH",
  "POST",
  "PUT",
  "QUERY",
  "TRACE"
])

const durationOf = (method: string, path: string, status: number, error: string | undefined) =>
  Metric.histogram("http.server.request.duration", {
    attributes: {
      "http.request.method": methods.has(method) ? method : "_OTHER",
      "http.response.status_code": String(status),
      ...(error === undefined ? {} : { "error.type": error }),
      // An unknown path has no route, so all of them are one series.
      ...(path === "*" ? {} : { "http.route": path }),
      unit: "s"
    },
    boundaries,
    description: "Duration of HTTP server requests, until the head of the reply is known"
  })

/** Registers the number of requests that have not ended. Those of bare routes count too. */
export const registerOpen = (
  open: OpenExchanges["Service"],
  context: Context.Context<never>
): void =>
  Reading.register(
    {
      description: "HTTP server requests that have not ended",
      id: "http.server.active_requests",
      read: () => open.count,
      type: "gauge"
    },
    context
  )

/**
 * Middleware of the slot `Logging`: measures each request but those of bare routes. `error.type` is the
 * code of the problem document, for a status of 500 or more.
 *
 * Source: OpenTelemetry semantic conventions for HTTP metrics.
 */
export const requests = Middleware.observe("metrics", {
  build: Effect.map(Effect.context<never>(), (context) => ({ path }) => {
    const series = new Map<string, Metric.Histogram<number>>()
    return (request, status) => {
      const error = status < 500 ? undefined : (request.code ?? String(status))
      const key = `${request.method} ${status} ${error}`
      let duration = series.get(key)
      if (duration === undefined) {
        duration = durationOf(request.method, path, status, error)
        // Callers of unknown paths choose the method.
        if (methods.has(request.method)) series.set(key, duration)
      }
      duration.updateUnsafe(request.elapsed() / 1000, context)
    }
  })
})
