/** The origin of the service as its clients see it, and the other origins that it trusts. */
import * as Context from "effect/Context"
import type { Incoming } from "./Before.ts"
import * as ClientIp from "./ClientIp.ts"

/** The origins whose pages may send credentials. The CORS battery provides them. */
export const CredentialedOrigins: Context.Reference<ReadonlySet<string>> = Context.Reference<
  ReadonlySet<string>
>("flange/CredentialedOrigins", { defaultValue: () => new Set() })

/**
 * Checks whether an `Origin` is the origin to which the request was sent. A trusted proxy may name
 * the host and the scheme that the client has used, in `X-Forwarded-Host` and `X-Forwarded-Proto` or
 * in `Forwarded`. Without a name for the scheme every scheme counts as the right one: the service
 * does not know whether a proxy ends TLS.
 */
export const isOwn = (
  request: Pick<Incoming, "find" | "header" | "peer">,
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

const sentTo = (request: Pick<Incoming, "find" | "header" | "peer">) => {
  const host = request.header("host")
  if (!ClientIp.isForwarded(request)) return { host, proto: undefined }
  const forwarded = request.header("forwarded")
  return {
    host: first(request.header("x-forwarded-host")) ?? parameter(forwarded, "host") ?? host,
    proto: first(request.header("x-forwarded-proto")) ?? parameter(forwarded, "proto")
  }
}

/** Returns the first element of a list: the one of the proxy that the client has reached. */
const first = (list: string | undefined): string | undefined =>
  list?.split(",", 1)[0]!.trim() || undefined

/** Returns a parameter of the first element. Source: RFC 7239, section 4. */
const parameter = (forwarded: string | undefined, name: string): string | undefined => {
  for (const pair of first(forwarded)?.split(";") ?? []) {
    const [key, value] = pair.split("=")
    if (key!.trim().toLowerCase() === name) return value?.trim().replaceAll('"', "")
  }
  return undefined
}
