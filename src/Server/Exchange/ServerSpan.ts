/** The span of a request in an app that has a tracer. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Exit from "effect/Exit"
import * as UrlParams from "effect/http/UrlParams"
import * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"
import type { Incoming } from "./Before.ts"
import * as ClientIp from "./ClientIp.ts"
import * as Methods from "./Methods.ts"
import * as OwnOrigin from "./OwnOrigin.ts"
import * as Problem from "./Problem.ts"
import * as Redaction from "./Redaction.ts"
import { clean } from "./Text.ts"

/** The route of a request. */
export interface RouteName {
  /** Upper case; `*` if no route matched. */
  readonly method: string
  /** The path template; `*` if no route matched. */
  readonly path: string
}

/**
 * Decides whether a request gets a span, before any part of the span is made. If the request is
 * not sampled, nothing inside the request is, and the services that it calls are told so.
 * `parent` is the span of the caller, if the request names one. The default samples every request
 * but those whose caller has not sampled its own.
 */
export type Sample = (
  request: Incoming,
  route: RouteName,
  parent: Tracer.ExternalSpan | undefined
) => boolean

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
  defaultValue: (): Sample => (_request, _route, parent) => parent?.sampled !== false
})

/** The parts of a request that its span shows. */
export interface Traced extends Pick<
  Incoming,
  "find" | "get" | "header" | "method" | "peer" | "requestId" | "target" | "tls"
> {
  /** The code of the problem document that was sent. */
  readonly code: string | undefined
  /** The version of HTTP, such as `1.1`; undefined if the listener knows none. */
  readonly httpVersion: string | undefined
}

/** The end of a request. */
export interface Ended {
  /** The exit of the handler, or the cause of the stream that failed. */
  readonly exit: Exit.Exit<unknown, unknown>
  /** Whether the stream of the reply failed. */
  readonly hasBroken: boolean
  readonly status: number
}

/** Begins the span of a request. It gets its attributes at its end. */
export const begin = (
  tracer: Tracer.Tracer,
  { method }: Pick<Traced, "method">,
  { path }: RouteName,
  parent: Tracer.ExternalSpan | undefined,
  startTime: bigint
): Tracer.Span => {
  const name = Methods.isKnown(method) ? method : "HTTP"
  return tracer.span({
    annotations: parent?.annotations ?? Context.empty(),
    kind: "server",
    links: [],
    name: path === "*" ? name : `${name} ${path}`,
    parent: Option.fromUndefinedOr(parent),
    root: false,
    sampled: true,
    startTime
  })
}

/** Returns a query without the values of credentials. */
const redacted = (query: string, request: Pick<Traced, "get">): string => {
  const redaction = Redaction.of((reference) => request.get(reference))
  return UrlParams.redactUrl(`?${query}`, request.get(UrlParams.CurrentRedactedNames))
    .slice(1)
    .split("&")
    .map((parameter) => {
      const name = parameter.slice(0, Math.max(0, parameter.indexOf("=")))
      return name !== "" && redaction.isHidden(name) ? `${name}=REDACTED` : parameter
    })
    .join("&")
}

/**
 * Ends the span of a request. A status of 500 or more is an error, and so is a reply whose stream
 * fails; `exit` has the cause of both. The values of query parameters in
 * `UrlParams.CurrentRedactedNames`, such as an API key, and of those that the log hides, are left out.
 *
 * Source: OpenTelemetry semantic conventions for HTTP spans.
 */
export const end = (
  span: Tracer.Span,
  request: Traced,
  { path }: RouteName,
  { exit, hasBroken, status }: Ended,
  endTime: bigint
): void => {
  const { code, httpVersion, method, peer, target } = request
  if (Methods.isKnown(method)) span.attribute("http.request.method", method)
  else {
    span.attribute("http.request.method", Methods.other)
    span.attribute("http.request.method_original", clean(method))
  }
  span.attribute("http.response.status_code", status)
  if (path !== "*") span.attribute("http.route", path)
  const client = ClientIp.resolve(request)
  if (client !== undefined) span.attribute("client.address", client)
  if (peer !== undefined) span.attribute("network.peer.address", peer)
  if (httpVersion !== undefined) span.attribute("network.protocol.version", httpVersion)
  span.attribute("requestId", request.requestId)
  const { host, proto } = OwnOrigin.sentTo(request)
  const server = host === undefined ? undefined : serverOf(host)
  if (server !== undefined) {
    span.attribute("server.address", server.address)
    if (server.port !== undefined) span.attribute("server.port", server.port)
  }
  const query = target.indexOf("?")
  span.attribute("url.path", query === -1 ? target : target.slice(0, query))
  if (query !== -1) {
    span.attribute("url.query", redacted(target.slice(query + 1), request))
  }
  span.attribute("url.scheme", proto?.toLowerCase() === "https" ? "https" : "http")
  const agent = request.header("user-agent")
  if (agent !== undefined) span.attribute("user_agent.original", clean(agent))
  if (status < 500 && !hasBroken) return span.end(endTime, Exit.void)
  span.attribute("error.type", code ?? (hasBroken ? "STREAM_FAILED" : String(status)))
  span.end(endTime, failureOf(exit, status))
}

/** Returns the failure of a span. An interruption is none, and a handler may have returned the reply. */
const failureOf = (
  exit: Exit.Exit<unknown, unknown>,
  status: number
): Exit.Exit<never, unknown> => {
  if (exit._tag === "Success" || Cause.hasInterruptsOnly(exit.cause)) {
    return Exit.fail(`HTTP ${status}`)
  }
  return Exit.failCause(Problem.declaredCause(exit.cause))
}

/** A host of a header `Host`, with the port if there is one. */
interface Server {
  readonly address: string
  readonly port: number | undefined
}

/** Hosts that were read before. A service has few. */
const known = new Map<string, Server | undefined>()
const maxKnown = 256

/** The longest name of a host, and a port. */
const maxHost = 255 + 6

const serverOf = (host: string): Server | undefined => {
  if (known.has(host)) return known.get(host)
  const [, address, port] =
    host.length > maxHost
      ? []
      : (/^(\[[\da-fA-F:.]+\]|[^\s:/@[\]]+)(?::(\d{1,5}))?$/.exec(host) ?? [])
  const server =
    address === undefined
      ? undefined
      : {
          address: address.startsWith("[") ? address.slice(1, -1) : address,
          port: port === undefined ? undefined : Number(port)
        }
  if (server === undefined) return undefined
  if (known.size >= maxKnown) known.clear()
  known.set(host, server)
  return server
}
