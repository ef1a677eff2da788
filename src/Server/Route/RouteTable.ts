/** The route table: finds the route of a request. */
import * as FindMyWay from "effect/http/FindMyWay"
import {
  type MalformedRequest,
  MethodNotAllowed,
  RouteNotFound,
  UriTooLong
} from "../../Contract/Catalogue.ts"
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

/**
 * How paths are compared. A proxy's rules for a path must not miss another spelling of it, so
 * there is none: paths with another case, `//`, or a slash at the end are other paths.
 */
export const routerConfig: FindMyWay.RouterConfig = {
  caseSensitive: true,
  ignoreDuplicateSlashes: false,
  ignoreTrailingSlash: false,
  // `find` checks the length, so that the reply can name the reason.
  maxParamLength: Number.MAX_SAFE_INTEGER
}

/** Creates a table. Entries must not be in conflict. Parameters of a path have a longest length. */
export const make = <A>(
  entries: ReadonlyArray<RouteEntry<A>>,
  { maxParamLength }: { readonly maxParamLength: number }
): RouteTable<A> => {
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
  const search = (method: string, url: string) => {
    const match = router.find(method, url)
    return match === undefined || hasEmptyParam(match.params) ? undefined : match
  }
  const allowed = (url: string): ReadonlyArray<string> => {
    const allow = new Set(
      url === "*" ? methods : [...methods].filter((method) => search(method, url) !== undefined)
    )
    if (allow.has("GET") || url === "*") allow.add("HEAD")
    if (allow.size > 0) allow.add("OPTIONS")
    return [...allow].sort()
  }
  const refusal = (url: string): Match["refusal"] => {
    const allow = allowed(url)
    return allow.length > 0 ? new MethodNotAllowed({ allow }) : notFound
  }
  return {
    find: (method, target) => {
      const url = isPlain(target) ? target : readable(target)
      if (typeof url !== "string") return refused(url)
      const match = search(method, url) ?? (method === "HEAD" ? search("GET", url) : undefined)
      if (match === undefined) return refused(refusal(url))
      const { handler, params, searchParams } = match
      for (const name in params) {
        if (params[name]!.length > maxParamLength) return refused(tooLong)
      }
      return { params, refusal: undefined, searchParams, value: handler }
    }
  }
}

/** Whether a parameter matched nothing; the rest of a path, `*`, may be empty. */
const hasEmptyParam = (params: Match["params"]): boolean => {
  for (const name in params) if (params[name] === "" && name !== "*") return true
  return false
}

const refused = <A>(refusal: Match["refusal"]): FoundRoute<A> => ({
  params: {},
  refusal,
  searchParams: {},
  value: undefined
})

// Made once, because an error captures its stack, which is slow.
const malformed = {
  encoding: Problem.malformed("path", "The target is not valid percent-encoded UTF-8"),
  fragment: Problem.malformed("path", 'The target has "#". Write it as %23.')
}

const notFound = new RouteNotFound()

const tooLong = new UriTooLong()

/** Whether the router reads a target as it is. */
const isPlain = (target: string): boolean => !/[#%;]/.test(target)

/** Returns a target for the router, or the error if it has no meaning. */
const readable = (target: string): MalformedRequest | string => {
  if (target.includes("#")) return malformed.fragment
  try {
    decodeURIComponent(target)
  } catch {
    return malformed.encoding
  }
  return withoutSemicolons(target)
}

/**
 * Returns a target in which `;` of the path is percent-encoded. The router would end the path
 * there, and a rule of a proxy would not.
 */
export const withoutSemicolons = (target: string): string => {
  if (!target.includes(";")) return target
  const query = target.indexOf("?")
  const path = query === -1 ? target : target.slice(0, query)
  return path.replaceAll(";", "%3B") + target.slice(path.length)
}
