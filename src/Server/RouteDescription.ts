/** The routes of an app as data, before anything is configured or acquired. */
import * as ByteSize from "effect/ByteSize"
import type * as HttpApi from "effect/http-api/HttpApi"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import { BodyLimit } from "../Contract/BodyLimit.ts"
import { Upgrades } from "../Contract/Upgrades.ts"
import type * as Plugin from "../Plugin/Plugin.ts"
import * as Role from "../Plugin/Role.ts"
import * as Codec from "./Codec/Codec.ts"
import * as MultipartForm from "./Codec/MultipartForm.ts"
import * as EffectInternals from "./EffectInternals.ts"
import * as Annotation from "./Route/Annotation.ts"
import type { RouteDescription, RoutesDescription } from "./Route/Description.ts"
import * as ErrorCodes from "./Route/ErrorCodes.ts"
import * as Guards from "./Route/Guards.ts"
import { isMiddleware, type Middleware } from "./Route/Middleware.ts"
import type { Description } from "./Route/MiddlewareDescription.ts"
import type { RouteInfo } from "./Route/MiddlewareForm.ts"
import { type DeclaredEndpoint, isRoute, type Route } from "./Route/Route.ts"
import { slotsOf } from "./Route/Slots.ts"

/**
 * Describes the routes of plugins, which are in their order. `api` is their contract with the
 * annotations of all plugins. Only what a process of the role serves is described.
 */
export const describe = (
  plugins: ReadonlyArray<Plugin.Any>,
  api: HttpApi.Top,
  role: "all" | Role.Role = "all"
): RoutesDescription => {
  const middlewares = plugins.flatMap(({ id, manifest }) =>
    manifest.contributions
      .filter(isMiddleware)
      .filter((middleware) => Role.carriesOut(role, middleware))
      .map((middleware): Owned => ({ middleware, plugin: id }))
  )
  const groups = plugins.flatMap(({ id, manifest }) =>
    manifest.contributions
      .filter(isRoute)
      .filter((route) => Role.carriesOut(role, route))
      .map((route) => ({ plugin: id, route }))
  )
  return {
    rawGroups: groups
      .filter(({ route }) => route.group === undefined)
      .map(({ plugin, route }) => ({
        ...accessOf(route),
        group: route.name,
        plugin,
        roles: route.roles
      }))
      .sort((a, b) => compare(a.group, b.group)),
    routes: groups
      .flatMap(({ plugin, route }) =>
        route.declared.map((declared) =>
          describeRoute(declared, { api, middlewares, plugin, route })
        )
      )
      .sort((a, b) => compare(a.path, b.path) || compare(a.method, b.method))
  }
}

/** A slot middleware and its plugin. */
interface Owned {
  readonly middleware: Middleware<unknown, unknown>
  readonly plugin: string
}

type AnyRoute = Pick<Route, "access" | "group" | "name" | "roles">

const accessOf = ({ access }: AnyRoute) => ({
  access: access.type,
  chain: "chain" in access ? access.chain : undefined
})

const describeRoute = (
  { endpoint, method, path }: DeclaredEndpoint,
  {
    api,
    middlewares,
    plugin,
    route
  }: {
    readonly api: HttpApi.Top
    readonly middlewares: ReadonlyArray<Owned>
    readonly plugin: string
    readonly route: AnyRoute
  }
): RouteDescription => {
  const { access, group: contract, name: group } = route
  const around = surrounding(
    { access, contract, endpoint, group, method, path, plugin },
    middlewares
  )
  const effects = around.map(({ description }) => description)
  const documented = api.groups[group]?.endpoints[endpoint.identifier] ?? endpoint
  const { codec, reason } = Codec.kindOf(endpoint, contract?.annotations)
  return {
    ...accessOf(route),
    ...Guards.of(endpoint, access),
    bodyLimit: bodyLimitOf(endpoint, contract),
    cache: effects.find(({ cache }) => cache !== undefined)?.cache,
    codec,
    codecReason: reason,
    errors: byStatus([
      ...ErrorCodes.of(documented),
      ...effects.flatMap(({ errors }) => errors ?? [])
    ]),
    group,
    idempotency: effects.find(({ idempotency }) => idempotency !== undefined)?.idempotency,
    method,
    middleware: around.map(({ middleware, plugin }) => ({
      name: middleware.name,
      plugin,
      slot: middleware.slot
    })),
    name: `${group}.${endpoint.identifier}`,
    path,
    plugin,
    rateLimits: effects.flatMap(({ rateLimits }) => rateLimits ?? []),
    realtime: realtimeOf(endpoint),
    roles: route.roles,
    timeout: shortest(effects.flatMap(({ timeout }) => timeout ?? [])),
    transaction:
      effects.find(({ transaction }) => transaction !== undefined)?.transaction ?? "none",
    unguarded: Guards.isUnguarded(endpoint)
  }
}

const realtimeOf = (endpoint: HttpApiEndpoint.Top): RouteDescription["realtime"] => {
  if (Annotation.nearest(Upgrades, endpoint) === true) return "websocket"
  const sendsEvents = [...endpoint.success].some((schema) =>
    EffectInternals.isStreamSse(HttpApiSchema.isWithHeaders(schema) ? schema.schema : schema)
  )
  return sendsEvents ? "sse" : undefined
}

/** Returns the middleware that runs around a route, outermost first. */
const surrounding = (info: RouteInfo, middlewares: ReadonlyArray<Owned>) =>
  slotsOf(info.access).flatMap((slot) =>
    middlewares
      .filter(({ middleware }) => middleware.slot === slot)
      .flatMap(({ middleware, plugin }) => {
        const { describe } = middleware
        const description: Description | undefined = describe === undefined ? {} : describe(info)
        return description === undefined ? [] : [{ description, middleware, plugin }]
      })
  )

const shortest = (timeouts: ReadonlyArray<number>): number | undefined =>
  timeouts.length === 0 ? undefined : Math.min(...timeouts)

const byStatus = (
  errors: ReadonlyArray<ErrorCodes.ErrorCode>
): Readonly<Record<string, ReadonlyArray<string>>> => {
  const found: Record<string, Array<string>> = {}
  for (const { code, status } of errors) {
    const codes = (found[status] ??= [])
    if (!codes.includes(code)) codes.push(code)
  }
  for (const codes of Object.values(found)) codes.sort()
  return found
}

/**
 * Returns the longest body of an endpoint in bytes: its `BodyLimit`, or else the limit of its multipart form,
 * or else the `BodyLimit` of its group; undefined if the contract sets none.
 */
export const bodyLimitOf = (
  endpoint: HttpApiEndpoint.Top | undefined,
  group: Annotation.Annotated
): number | undefined =>
  Annotation.nearest(BodyLimit, endpoint) ??
  formLimitOf(endpoint) ??
  Annotation.nearest(BodyLimit, group)

const formLimitOf = (endpoint: HttpApiEndpoint.Top | undefined): number | undefined => {
  const { maxTotalSize } = endpoint === undefined ? {} : MultipartForm.limitsOf(endpoint)
  return maxTotalSize === undefined
    ? undefined
    : ByteSize.toNumberUnsafe(ByteSize.fromInputUnsafe(maxTotalSize))
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
