/** The origin of the service as its clients see it, and the other origins that it trusts. */
import * as Context from "effect/Context"
import type { ServerConfig } from "../ServerConfig.ts"
import type { Incoming } from "./Before.ts"
import * as ClientIp from "./ClientIp.ts"
import * as Forwarded from "./Forwarded.ts"

/** The origins whose pages may send credentials. The CORS battery provides them. */
export const CredentialedOrigins: Context.Reference<Pick<ReadonlySet<string>, "has">> =
  Context.Reference<Pick<ReadonlySet<string>, "has">>("flange/CredentialedOrigins", {
    defaultValue: () => new Set()
  })

/**
 * Checks whether an `Origin` is the origin to which the request was sent. A trusted proxy may name
 * the host and the scheme that the client has used, in `X-Forwarded-Host` and `X-Forwarded-Proto` or
 * in `Forwarded`. On a TLS connection the scheme is `https`. Without TLS and without a name for the
 * scheme every scheme counts as the right one: the service does not know whether a proxy ends TLS.
 */
export const isOwn = (
  request: Pick<Incoming, "find" | "header" | "peer" | "tls">,
  origin: string
): boolean => {
  const { protocol } = URL.parse(origin) ?? {}
  if (protocol !== "http:" && protocol !== "https:") return false
  const { host, proto } = sentTo(request)
  return (
    (proto === undefined || protocol === `${proto.toLowerCase().replace(/^ws/, "http")}:`) &&
    URL.parse(`${protocol}//${host}`)?.origin === origin
  )
}

/**
 * Returns the host and the scheme that the client has used: those that a trusted proxy names, or else
 * the host of the request, and `https` on a TLS connection.
 */
export const sentTo = (request: Pick<Incoming, "find" | "header" | "peer" | "tls">) => {
  const host = request.header("host")
  const own = request.tls === undefined ? undefined : "https"
  if (!ClientIp.isForwarded(request)) return { host, proto: own }
  // The first element is of the proxy that the client has reached.
  const first = (name: string) => Forwarded.elements(request.header(name))[0] || undefined
  const forwarded = request.header("forwarded")
  return {
    host: first("x-forwarded-host") ?? Forwarded.parameters(forwarded, "host")[0] ?? host,
    proto: first("x-forwarded-proto") ?? Forwarded.parameters(forwarded, "proto")[0] ?? own
  }
}

/**
 * Returns the function that checks whether the client has used https, as far as the service knows: on a
 * connection that this process has encrypted, or as a trusted proxy names it. Without proxies that are
 * trusted, it reads no header and needs no services of the request.
 */
export const secureness = (
  config: (typeof ServerConfig)["Service"] | undefined
): ((request: Pick<Incoming, "find" | "header" | "peer" | "tls">) => boolean) =>
  ClientIp.mayForward(config)
    ? (request) => sentTo(request).proto?.toLowerCase() === "https"
    : ({ tls }) => tls !== undefined
