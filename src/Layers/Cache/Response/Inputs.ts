/** The parts of a request that select a stored reply. The handler sees no others. */
import { createHash } from "node:crypto"
import * as FindMyWay from "effect/http/FindMyWay"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Result from "effect/Result"
import { type Caller, CurrentCaller } from "../../../Contract/Authentication.ts"
import * as EncodedNames from "../../../Contract/EncodedNames.ts"
import * as PathWriter from "../../../Contract/PathWriter.ts"
import * as RoutePath from "../../../Contract/RoutePath.ts"
import type { Incoming } from "../../../Server/Exchange/Before.ts"
import * as WireRequest from "../../../Server/Exchange/WireRequest.ts"
import * as CacheKey from "../CacheKey.ts"
import type { CachedRoute } from "./CachedRoute.ts"

/** The first segment of the keys of all replies. */
export const cacheName = "responses"

/** A request as a cached handler sees it, and the key of its reply. */
export interface Asked {
  readonly key: CacheKey.CacheKey
  /** Returns the request of the handler; undefined if its parameters have no path of their own. */
  readonly request: () =>
    | (Pick<WireRequest.Message, "headers" | "target"> & { readonly query: Query })
    | undefined
}

/** The query of a request, before it is decoded. */
export type Query = Readonly<Record<string, Array<string> | string>>

/** Reads the parts of requests to one route. */
export interface Inputs {
  /**
   * Returns what a request asks for; undefined if the caller cannot be a part of a key, or if the handler's codec
   * refuses the query.
   */
  readonly asked: (request: Incoming) => Asked | undefined
  /** Whether a request has a key of the query that its contract does not have. */
  readonly hasUnknown: (query: Query) => boolean
  /** The headers that select the reply, in lower case and sorted. */
  readonly headers: ReadonlyArray<string>
}

/** Returns the headers in the contract of an endpoint; undefined if it takes every header. */
export const declaredHeaders = ({
  headers
}: CachedRoute["endpoint"]): ReadonlyArray<string> | undefined => {
  const names = EncodedNames.of(headers === undefined ? [] : [headers])
  return names && [...names].map((name) => name.toLowerCase())
}

/** Creates the reader of a route. */
export const make = ({ endpoint, group, rules }: CachedRoute): Inputs => {
  const isShared = rules.sharing === "public"
  const names = [...new Set([...rules.headers, ...(declaredHeaders(endpoint) ?? [])])].toSorted()
  const known = EncodedNames.ofQuery(endpoint)
  const sortedNames = known && [...known].toSorted()
  const route = `${group}.${endpoint.identifier}`
  const { parts } = RoutePath.parse(endpoint.path, RoutePath.declaredNames(endpoint.params))
  const pathOf = PathWriter.make(parts, {
    method: endpoint.method,
    name: route,
    routes: FindMyWay.make<string>(RoutePath.routerConfig)
  })
  const hasParams = parts.some((part) => typeof part !== "string")
  const alone = CacheKey.of(cacheName, route)

  const queryOf = (all: Query): Query => {
    const chosen: Record<string, Array<string> | string> = {}
    for (const name of sortedNames ?? Object.keys(all).toSorted()) {
      if (Object.hasOwn(all, name)) chosen[name] = all[name]!
    }
    return chosen
  }

  const readsQuery = known === undefined || known.size > 0

  const isConstant =
    isShared &&
    !hasParams &&
    names.length === 0 &&
    sortedNames !== undefined &&
    sortedNames.length === 0

  return {
    asked: (request) => {
      const seen = (target: Query, values: ReadonlyArray<string | undefined>) => () => {
        const path = pathOf(request.params)
        if (Result.isFailure(path)) return undefined
        const search = new URLSearchParams(
          Object.entries(target).flatMap(([name, value]) =>
            [value].flat().map((one): [string, string] => [name, one])
          )
        ).toString()
        const headers = names.flatMap((name, i): ReadonlyArray<readonly [string, string]> => {
          const value = values[i]
          return value === undefined ? [] : [[name, value]]
        })
        return {
          headers,
          query: target,
          target: path.success + (search === "" ? "" : `?${search}`)
        }
      }
      if (isConstant) return { key: alone, request: seen({}, []) }
      // A record would lose the key, and the reply would be that of another request.
      if (readsQuery && Object.hasOwn(request.searchParams, "__proto__")) return undefined
      const query = queryOf(request.searchParams)
      const values = names.map((name) => request.header(name))
      const caller = isShared ? [] : callerOf(request)
      if (caller === undefined) return undefined
      const text = JSON.stringify([
        Object.entries(request.params).toSorted(),
        Object.entries(query),
        values.map((value) => value ?? null),
        caller
      ])
      // Neither credentials nor headers are in a key as they are.
      const last = isShared && names.length === 0 ? text : digestOf(text)
      return { key: CacheKey.of(cacheName, route, last), request: seen(query, values) }
    },
    hasUnknown:
      known === undefined
        ? () => false
        : (query) => {
            for (const name in query) if (!known.has(name)) return true
            return false
          },
    headers: names
  }
}

const digestOf = (text: string): string => createHash("sha256").update(text).digest("base64url")

/** Returns everything that a handler may know of its caller; undefined if it has no text. */
const callerOf = (request: Incoming): ReadonlyArray<unknown> | undefined => {
  const caller: Caller | undefined = request.get(CurrentCaller)
  const identity = caller?.identity
  // The credentials of a caller without an identity mean nothing.
  if (caller === undefined || identity === undefined) return ["anonymous", caller?.chain]
  const { attributes, displayName, isPrivileged, isServiceAccount, method, scopes, subject } =
    identity
  try {
    return [
      caller.chain,
      subject,
      displayName,
      method,
      isPrivileged,
      isServiceAccount,
      [...scopes].toSorted(),
      JSON.stringify(attributes, textOf),
      request.header("authorization")
    ]
  } catch {
    return undefined
  }
}

/** Returns what JSON would leave out, or refuses it. */
const textOf = (_: string, value: unknown): unknown => {
  if (typeof value === "bigint") return `${value}n`
  if (value instanceof Map || value instanceof Set) return [...value]
  if (typeof value === "function" || typeof value === "symbol") throw new TypeError(typeof value)
  return value
}

/** Creates the request that a cached handler sees. HEAD is GET there: both have one reply. */
export const requestOf = (
  { endpoint }: CachedRoute,
  { headers, target }: Pick<WireRequest.Message, "headers" | "target">
): HttpServerRequest.HttpServerRequest =>
  WireRequest.make({
    headers,
    method: endpoint.method,
    read: (done) => done(new Uint8Array(0)),
    remoteAddress: undefined,
    target
  })
