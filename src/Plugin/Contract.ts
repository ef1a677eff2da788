/** The HTTP contract of an app: the groups of all the routes of all its plugins. */
import * as HttpApi from "effect/http-api/HttpApi"
import type * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import type * as Plugin from "./Plugin.ts"

/**
 * The contract of a list of plugins, with the groups in the order of the list,
 * and what plugins say about it with `annotate`. Raw groups have none.
 */
export const of = (id: string, plugins: ReadonlyArray<Plugin.Any>): HttpApi.Top => {
  // An `HttpApi` names its groups in its type; here they are known at run time only.
  const empty = HttpApi.make(id) as unknown as HttpApi.Top
  const [first, ...rest] = plugins
    .flatMap(({ manifest }) => manifest.routes)
    .flatMap((route) => (hasGroup(route) ? [route.group] : []))
  // All at once: every `add` copies the groups before it.
  const api = first === undefined ? empty : (empty.add(first, ...rest) as HttpApi.Top)
  return plugins.reduce((api, { manifest }) => manifest.annotate?.(api) ?? api, api)
}

const hasGroup = (route: object): route is { readonly group: HttpApiGroup.Top } =>
  "group" in route && route.group !== undefined
