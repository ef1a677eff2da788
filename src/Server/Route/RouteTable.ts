/** The route table: finds the route of a request. */
import * as FindMyWay from "effect/http/FindMyWay"
import {
  type MalformedRequest,
  MethodNotAllowed,
  RouteNotFound,
  UriTooLong
} from "../../Contract/Catalogue.ts"
import * as RoutePath from "../../Contract/RoutePath.ts"
import * as Issues from "../Exchange/Issues.ts"
import { type Match, Moved } from "../Exchange/Plan.ts"

/** A route and its value in the table. */
export interface RouteEntry<A> {
  /** The method in upper case; `*` takes every method. */
  readonly method: string
  /** In the router's syntax. */
  readonly path: string
  /** The plain router that serves it, which searches again; undefined for any other route. */
  readonly router?: unknown
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

/** The rules of a table: those of the section `server`. */
export interface Rules {
  /** The longest parameter of a path. */
  readonly maxParamLength: number
  /** The reply to a path that differs from a route only by a slash at its end: 404 or 308. */
  readonly trailingSlash: "redirect" | "strict"
}

/** Creates a table. Entries must not be in conflict. */
export const make = <A>(
  entries: ReadonlyArray<RouteEntry<A>>,
  { maxParamLength, trailingSlash }: Rules
): RouteTable<A> => {
  const router = FindMyWay.make<RouteEntry<A>>(RoutePath.routerConfig)
  // The routes that take an empty segment. The router prefers a parameter, which must not be empty.
  const takingNothing = FindMyWay.make<RouteEntry<A>>(RoutePath.routerConfig)
  const methods = new Set<string>()
  for (const entry of entries) {
    const { method, path } = entry
    const paths = path.endsWith("/*") && method === "*" ? [path, path.slice(0, -2) || "/"] : [path]
    // The path of an entry has the router's syntax, and the type of text.
    for (const each of paths as ReadonlyArray<FindMyWay.PathInput>) {
      for (const table of /[*/]$/.test(path) ? [router, takingNothing] : [router]) {
        if (method === "*") table.all(each, entry)
        else table.on(method, each, entry)
      }
    }
    if (method !== "*") methods.add(method)
  }
  // A parameter that is a part of a segment can be empty in a segment that is not.
  const hasParts = entries.some(({ path }) => /[(]|[^/]:|:[^/]*[-.]/.test(path))
  const search = (method: string, url: string) => {
    const match = router.find(method, url)
    if (match === undefined || (!hasParts && !mayHaveEmptySegment(url))) return match
    if (!hasEmptyParam(match.params)) return match
    const other = takingNothing.find(method, url)
    if (other === undefined || hasEmptyParam(other.params)) return undefined
    const { router: same } = other.handler
    // Their router would find the parameter.
    return same !== undefined && same === match.handler.router ? undefined : other
  }
  const allowed = (url: string): ReadonlyArray<string> => {
    const allow = new Set(
      url === "*" ? methods : [...methods].filter((method) => search(method, url) !== undefined)
    )
    if (allow.has("GET") || url === "*") allow.add("HEAD")
    if (allow.size > 0) allow.add("OPTIONS")
    return [...allow].sort()
  }
  const findRoute = (method: string, url: string) =>
    search(method, url) ?? (method === "HEAD" ? search("GET", url) : undefined)
  const refusal = (method: string, url: string, target: string): Match["refusal"] => {
    const allow = allowed(url)
    if (allow.length > 0) return new MethodNotAllowed({ allow })
    const other = trailingSlash === "redirect" ? otherEnd(target) : undefined
    return other === undefined || findRoute(method, withoutSemicolons(other)) === undefined
      ? notFound
      : new Moved(other)
  }
  return {
    find: (method, target) => {
      const url = isPlain(target) ? target : readable(target)
      if (typeof url !== "string") return refused(url)
      const match = findRoute(method, url)
      if (match === undefined) return refused(refusal(method, url, target))
      const { handler, params, searchParams } = match
      // A parameter is no longer than what it was read from, and reading all of them is slow.
      if (url.length > maxParamLength) {
        for (const name in params) {
          if (params[name]!.length > maxParamLength) return refused(tooLong)
        }
      }
      return { params, refusal: undefined, searchParams, value: handler.value }
    }
  }
}

/**
 * Returns a target with a slash at the end of its path, or without the one that it has. A client
 * must not read it as another path or host (`//host`, `/\\host`, `/..`): such a target has none.
 */
const otherEnd = (target: string): string | undefined => {
  const path = target.split("?", 1)[0]!
  const other = path.endsWith("/") ? path.slice(0, -1) : `${path}/`
  return other !== "" && URL.parse(other, "http://localhost")?.pathname === other
    ? other + target.slice(path.length)
    : undefined
}

/** Whether a segment of the path may be empty. The router takes "*" for a path. */
const mayHaveEmptySegment = (url: string): boolean =>
  !url.startsWith("/") || url.endsWith("/") || url.includes("//") || url.includes("/?")

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
  encoding: Issues.malformed("path", "The target is not valid percent-encoded UTF-8"),
  fragment: Issues.malformed("path", 'The target has "#". Write it as %23.')
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
