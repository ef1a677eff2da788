/** The span of a request in an app that has a tracer. */
import * as Context from "effect/Context"
import * as Exit from "effect/Exit"
import * as Headers from "effect/http/Headers"
import * as HttpTraceContext from "effect/http/HttpTraceContext"
import * as UrlParams from "effect/http/UrlParams"
import * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"
import type { Incoming } from "./Before.ts"

/** The route of a request. */
export interface RouteName {
  /** Upper case; `*` if no route matched. */
  readonly method: string
  /** The path template; `*` if no route matched. */
  readonly path: string
}

/**
 * Decides whether a request gets a span, before any part of the span is made. If the
 * request has no span, nothing inside the request has one. The default samples every
 * request.
 */
export type Sample = (request: Incoming, route: RouteName) => boolean

/**
 * The sampling of an app. A plugin provides it as a service.
 *
 * @example
 * ```ts
 * import * as Layer from "effect/Layer"
 * import { Plugin, Sampling } from "flange"
 *
 * const OnlyOrders = Plugin.make("app:sampling", {
 *   layer: Layer.succeed(Sampling, (_request, { path }) => path.startsWith("/orders"))
 * })
 * OnlyOrders.id // => "app:sampling"
 * ```
 */
export const Sampling: Context.Reference<Sample> = Context.Reference("flange/Sampling", {
  defaultValue: (): Sample => () => true
})

/**
 * Begins the span of a request. The request's headers name the parent. The values of
 * query parameters in `UrlParams.CurrentRedactedNames`, such as an API key, are left out.
 *
 * Source: OpenTelemetry semantic conventions for HTTP spans; W3C Trace Context.
 */
export const begin = (
  tracer: Tracer.Tracer,
  request: Incoming & { readonly headers: Iterable<readonly [string, string]> },
  { method, path }: RouteName,
  startTime: bigint
): Tracer.Span => {
  const { target } = request
  const query = target.indexOf("?")
  const parent = parentOf(request)
  const span = tracer.span({
    annotations: Context.empty(),
    kind: "server",
    links: [],
    name: path === "*" ? request.method : `${method} ${path}`,
    parent,
    root: false,
    sampled: Option.isNone(parent) || parent.value.sampled,
    startTime
  })
  span.attribute("http.request.method", request.method)
  if (path !== "*") span.attribute("http.route", path)
  span.attribute("url.path", query === -1 ? target : target.slice(0, query))
  if (query !== -1) {
    const names = request.get(UrlParams.CurrentRedactedNames)
    span.attribute("url.query", UrlParams.redactUrl(target, names).slice(query + 1))
  }
  const agent = request.header("user-agent")
  if (agent !== undefined) span.attribute("user_agent.original", agent)
  if (request.peer !== undefined) span.attribute("network.peer.address", request.peer)
  return span
}

/** Ends the span of a request with its reply. A status of 500 or more is an error. */
export const end = (span: Tracer.Span, status: number, endTime: bigint): void => {
  span.attribute("http.response.status_code", status)
  span.end(endTime, status < 500 ? Exit.void : Exit.fail(`HTTP ${status}`))
}

const parentOf = (request: Parameters<typeof begin>[1]): Option.Option<Tracer.ExternalSpan> =>
  request.header("traceparent") === undefined &&
  request.header("b3") === undefined &&
  request.header("x-b3-traceid") === undefined
    ? Option.none()
    : HttpTraceContext.fromHeaders(Headers.fromInput(request.headers))
