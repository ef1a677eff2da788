/** The route table: every row of every plugin, and how a request finds its own. */
import * as FindMyWay from "effect/http/FindMyWay"
import type { Problem } from "../../Plugin/Order.ts"
import type * as Plugin from "../../Plugin/Plugin.ts"
import type { RouteInfo } from "./Middleware.ts"
import { isRoute } from "./Route.ts"

/** A row that is ready to run. */
export interface Entry<A, C = never> {
  /** The row on the compiled lane, if it qualifies. */
  readonly compiled: C | undefined
  readonly info: RouteInfo
  readonly run: A
}

/** What a request's method and target lead to. */
export type Found<A, C = never> =
  | {
      readonly _tag: "Found"
      readonly entry: Entry<A, C>
      readonly params: Readonly<Record<string, string | undefined>>
      readonly searchParams: Readonly<Record<string, Array<string> | string>>
    }
  | { readonly _tag: "MalformedPath" }
  /** Rows have the path, not the method. `allow` is sorted and complete. */
  | { readonly _tag: "MethodNotAllowed"; readonly allow: ReadonlyArray<string> }
  | { readonly _tag: "NotFound" }

/** A table that can be searched. */
export interface RouteTable<A, C = never> {
  readonly entries: ReadonlyArray<Entry<A, C>>
  readonly find: (method: string, url: string) => Found<A, C>
}

const routerConfig = {
  // RFC 9110, section 4.2.3: paths are case-sensitive.
  caseSensitive: true,
  // `//a` and `/a` are different paths for a proxy's rules, so they are here.
  ignoreDuplicateSlashes: false,
  ignoreTrailingSlash: true,
  maxParamLength: 1024
}

/** Builds a table. Rows must not be in conflict. */
export const make = <A, C>(entries: ReadonlyArray<Entry<A, C>>): RouteTable<A, C> => {
  const router = FindMyWay.make<Entry<A, C>>(routerConfig)
  const methods = new Set<string>()
  for (const entry of entries) {
    const { method, path } = entry.info
    const paths = path.endsWith("/*") && method === "*" ? [path, path.slice(0, -2) || "/"] : [path]
    for (const each of paths as ReadonlyArray<FindMyWay.PathInput>) {
      if (method === "*") router.all(each, entry)
      else router.on(method, each, entry)
    }
    if (method !== "*") methods.add(method)
  }
  const allowed = (url: string): ReadonlyArray<string> => {
    const allow = new Set([...methods].filter((method) => router.find(method, url) !== undefined))
    if (allow.has("GET")) allow.add("HEAD")
    if (allow.size > 0) allow.add("OPTIONS")
    return [...allow].sort()
  }
  return {
    entries,
    find: (method, url) => {
      const match =
        router.find(method, url) ?? (method === "HEAD" ? router.find("GET", url) : undefined)
      if (match !== undefined) {
        if (!validEncoding(url)) return { _tag: "MalformedPath" }
        return {
          _tag: "Found",
          entry: match.handler,
          params: match.params,
          searchParams: match.searchParams
        }
      }
      if (!validEncoding(url)) return { _tag: "MalformedPath" }
      const allow =
        url === "*" ? [...new Set([...methods, "HEAD", "OPTIONS"])].sort() : allowed(url)
      return allow.length > 0 ? { _tag: "MethodNotAllowed", allow } : { _tag: "NotFound" }
    }
  }
}

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

/** Rows of different groups with one method and one shape of path. */
export const conflicts = (
  rows: ReadonlyArray<{
    readonly method: string
    readonly owner: string
    readonly path: string
    readonly plugin: string
  }>
): ReadonlyArray<Problem> => {
  const seen = new Map<string, (typeof rows)[number]>()
  const problems: Array<Problem> = []
  for (const row of rows) {
    const key = `${row.method} ${row.path.replace(/:[A-Za-z0-9_]+/g, ":").replace(/(?<=.)\/$/, "")}`
    const other = seen.get(key)
    if (other === undefined) seen.set(key, row)
    else {
      problems.push({
        kind: "RouteConflict",
        message: `Route ${row.method} ${row.path} of ${row.owner} (plugin "${row.plugin}") takes the same requests as ${other.method} ${other.path} of ${other.owner} (plugin "${other.plugin}"). Change one of the paths, or give one group a prefix.`,
        plugins: [other.plugin, row.plugin]
      })
    }
  }
  return problems
}

/** Conflicts between the routes that are known before anything is acquired. */
export const declaredConflicts = (plugins: ReadonlyArray<Plugin.Any>): ReadonlyArray<Problem> =>
  conflicts(
    plugins.flatMap((plugin) =>
      plugin.manifest.routes.filter(isRoute).flatMap((route) =>
        route.declared.map((row) => ({
          ...row,
          owner: `group "${route.name}"`,
          plugin: plugin.id
        }))
      )
    )
  )
