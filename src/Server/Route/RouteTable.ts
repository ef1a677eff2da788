/** The route table: finds the route of a request. */
import * as FindMyWay from "effect/http/FindMyWay"
import { MethodNotAllowed, RouteNotFound } from "../../Contract/Catalogue.ts"
import type { Match } from "../Exchange/Plan.ts"
import * as Problem from "../Exchange/Problem.ts"

/** A route and its value in the table. */
export interface RouteEntry<A> {
  /** The method in upper case; `*` takes every method. */
  readonly method: string
  /** In the router's syntax. */
  readonly path: string
  readonly value: A
}

/** The result of a search. `refusal` is set if `value` is undefined. */
export interface FoundRoute<A> extends Match {
  readonly value: A | undefined
}

/** A table that can be searched. */
export interface RouteTable<A> {
  readonly find: (method: string, url: string) => FoundRoute<A>
}

const routerConfig = {
  // RFC 9110, section 4.2.3: paths are case-sensitive.
  caseSensitive: true,
  // `//a` and `/a` are different paths for the rules of a proxy, so they are different here.
  ignoreDuplicateSlashes: false,
  ignoreTrailingSlash: true,
  maxParamLength: 1024
}

/** Creates a table. Entries must not be in conflict. */
export const make = <A>(entries: ReadonlyArray<RouteEntry<A>>): RouteTable<A> => {
  const router = FindMyWay.make<A>(routerConfig)
  const methods = new Set<string>()
  for (const { method, path, value } of entries) {
    const paths = path.endsWith("/*") && method === "*" ? [path, path.slice(0, -2) || "/"] : [path]
    // The path of an entry has the router's syntax, and the type of text.
    for (const each of paths as ReadonlyArray<FindMyWay.PathInput>) {
      if (method === "*") router.all(each, value)
      else router.on(method, each, value)
    }
    if (method !== "*") methods.add(method)
  }
  const allowed = (url: string): ReadonlyArray<string> => {
    const allow = new Set(
      url === "*"
        ? methods
        : [...methods].filter((method) => router.find(method, url) !== undefined)
    )
    if (allow.has("GET") || url === "*") allow.add("HEAD")
    if (allow.size > 0) allow.add("OPTIONS")
    return [...allow].sort()
  }
  const refusal = (url: string): Match["refusal"] => {
    if (!validEncoding(url)) return malformed
    const allow = allowed(url)
    return allow.length > 0 ? new MethodNotAllowed({ allow }) : notFound
  }
  return {
    find: (method, url) => {
      const match =
        router.find(method, url) ?? (method === "HEAD" ? router.find("GET", url) : undefined)
      return match !== undefined && validEncoding(url)
        ? {
            params: match.params,
            refusal: undefined,
            searchParams: match.searchParams,
            value: match.handler
          }
        : { params: {}, refusal: refusal(url), searchParams: {}, value: undefined }
    }
  }
}

// Made once, because an error captures its stack, which is slow.
const malformed = Problem.malformed("path", "The path is not valid percent-encoded UTF-8")

const notFound = new RouteNotFound()

/** Whether the path of a target is valid percent-encoded UTF-8. */
const validEncoding = (url: string): boolean => {
  if (!url.includes("%")) return true
  try {
    decodeURIComponent(url.split("?", 1)[0]!)
    return true
  } catch {
    return false
  }
}
