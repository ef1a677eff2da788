/** Digests of a request: which key it has, and what it asks for. */
import { createHash } from "node:crypto"
import type { Identity } from "../../Contract/Authentication.ts"
import * as EncodedNames from "../../Contract/EncodedNames.ts"
import * as SentKey from "../../Contract/SentKey.ts"
import type { Incoming } from "../../Server/Exchange/Before.ts"
import type { RouteInfo } from "../../Server/Route/Middleware.ts"

/** Headers of a contract that differ between two attempts of one request. */
const changing: ReadonlySet<string> = new Set([
  "authorization",
  "cookie",
  SentKey.header,
  "traceparent",
  "tracestate",
  "x-request-id"
])

const sorted = (values: Readonly<Record<string, unknown>>) =>
  Object.entries(values).toSorted(([a], [b]) => (a < b ? -1 : 1))

/** Digests the requests of one route. */
export interface Digests {
  /** Returns the digest of a request, whose body has these bytes after decompression. */
  readonly fingerprint: (request: Incoming, body: Uint8Array) => string
  /** Returns the digest of a key of a caller. */
  readonly id: (
    key: string,
    caller: { readonly chain: string; readonly identity: Identity }
  ) => string
}

/** Creates the digests of a route. Apps with the same prefix share their keys. */
export const make = (
  prefix: string,
  {
    endpoint,
    group
  }: Pick<RouteInfo, "group"> & { readonly endpoint: NonNullable<RouteInfo["endpoint"]> }
): Digests => {
  const route = `${group}.${endpoint.identifier}`
  // A contract that takes every header has no names.
  const declared = EncodedNames.of(endpoint.headers === undefined ? [] : [endpoint.headers]) ?? []
  const headers = [...new Set(["content-type", ...[...declared].map((name) => name.toLowerCase())])]
    .filter((name) => !changing.has(name))
    .toSorted()
  return {
    fingerprint: (request, body) =>
      createHash("sha256")
        .update(
          JSON.stringify([
            request.method,
            route,
            sorted(request.params),
            sorted(request.searchParams),
            headers.map((name) => request.header(name) ?? null)
          ])
        )
        .update("\n")
        .update(body)
        .digest("base64url"),
    id: (key, { chain, identity: { method, subject } }) =>
      createHash("sha256")
        .update(JSON.stringify([prefix, route, chain, method, subject, key]))
        .digest("base64url")
  }
}
