/** The rows of a route group in the route table. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import type { HttpMethod } from "effect/http/HttpMethod"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Layer from "effect/Layer"
import * as RoutePath from "../../Contract/RoutePath.ts"
import { type EffectHandler, groupHandlers, type UserHandler } from "../EffectInternals.ts"
import { CurrentExchange } from "../Exchange/Exchange.ts"
import * as Conflicts from "./Conflicts.ts"
import type { EndpointInGroup } from "./ContractMiddleware.ts"
import * as HandlerCheck from "./HandlerCheck.ts"

/** One row of the route table: an endpoint of a contract, or a route of a plain router. */
export interface Row {
  /** The group's contract; undefined for a route of a plain router. */
  readonly contract: HttpApiGroup.Top | undefined
  /** Effect's own handler; undefined if the endpoint does not need it. */
  readonly effect: EffectHandler | undefined
  readonly endpoint: HttpApiEndpoint.Top | undefined
  readonly group: string
  /** The middleware that authenticates a route of a plain router, on an endpoint that represents it. */
  readonly guarded?: EndpointInGroup
  /** The handler as the user wrote it; undefined for a route of a plain router. */
  readonly handler: UserHandler | undefined
  readonly method: string
  /** In the router's syntax. */
  readonly path: HttpRouter.PathInput
}

/**
 * Returns the payload that Effect has to decode if its own handler serves an endpoint;
 * undefined for any other endpoint.
 */
export type PayloadOfEffect = (
  endpoint: HttpApiEndpoint.Top
) => HttpApiEndpoint.Top["payload"] | undefined

/** Returns the rows of a group: each endpoint with its handler. */
export const groupRows = (
  contract: HttpApiGroup.Top,
  build: (handlers: unknown) => unknown,
  payloadOfEffect: PayloadOfEffect
) =>
  Effect.map(
    groupHandlers(contract, HandlerCheck.checked(contract, build), ({ endpoint }) => {
      const payload = payloadOfEffect(endpoint)
      return payload === undefined ? undefined : { handler: handleInExchange, payload }
    }),
    (handlers) =>
      handlers.map(({ effect, path, written }): Row => ({
        contract,
        effect,
        endpoint: written.endpoint,
        group: contract.identifier,
        handler: written,
        method: written.endpoint.method,
        path
      }))
  )

/** Lets the exchange call the user's handler. */
const handleInExchange: UserHandler["handler"] = (request) =>
  Effect.flatMap(CurrentExchange, ({ handle }) => handle!(request))

/** Returns the rows of a layer of plain routes. */
export const rawRows = <E>(
  name: string,
  layer: Layer.Layer<never, E, HttpRouter.HttpRouter>,
  authentication: ReadonlyArray<Context.Key<any, unknown>>
) =>
  Effect.gen(function* () {
    const router = yield* Effect.provideService(
      HttpRouter.make,
      HttpRouter.RouterConfig,
      RoutePath.routerConfig
    )
    const declared: Array<RawRoute> = []
    const problems = Conflicts.make()
    const record: Recorder = (route) => {
      declared.push(route)
      return problems({ ...route, endpoint: undefined, group: name, plugin: "" }).length === 0
    }
    yield* Layer.build(
      Layer.provide(layer, Layer.succeed(HttpRouter.HttpRouter, recording(router, "", record)))
    )
    // Every route of the layer is served by the layer's own router.
    const effect = router.asHttpEffect() as EffectHandler
    return declared.map((row): Row => ({
      ...row,
      contract: undefined,
      effect,
      endpoint: undefined,
      group: name,
      handler: undefined,
      ...(authentication.length === 0 ? {} : { guarded: guarded(name, row, authentication) })
    }))
  })

/** Returns an endpoint that represents a route of a plain router, for the middleware in front of it. */
const guarded = (
  name: string,
  { method, path }: Pick<Row, "method" | "path">,
  authentication: ReadonlyArray<Context.Key<any, unknown>>
): EndpointInGroup => {
  // A plain router takes any method and path.
  const endpoint = HttpApiEndpoint.make(method as HttpMethod)(name, path as `/${string}`)
  return {
    endpoint: authentication.reduce<HttpApiEndpoint.Top>(
      (changed, key) => changed.middleware(key) as never,
      endpoint as never
    ),
    group: HttpApiGroup.make(name) as never
  }
}

/** A route of a plain router. */
type RawRoute = Pick<Row, "method" | "path">

/** Records a route. Returns whether the router can have it: boot fails because of any other. */
type Recorder = (route: RawRoute) => boolean

/** Returns a router that also records the routes that are added to it. */
const recording = (
  router: HttpRouter.HttpRouter,
  prefix: string,
  record: Recorder
): HttpRouter.HttpRouter => {
  const isNew = ({ method, path }: RawRoute) => record({ method, path: prefixed(prefix, path) })
  return {
    ...router,
    add: (method, path, handler, options) =>
      isNew({ method, path }) ? router.add(method, path, handler, options) : Effect.void,
    // The types of fewer routes are among those of all.
    addAll: ((routes) => router.addAll(routes.filter(isNew))) as HttpRouter.HttpRouter["addAll"],
    prefixed: (more) => recording(router.prefixed(more), prefixed(prefix, more as "/"), record)
  }
}

// A prefixed path starts with a slash, as `PathInput` demands.
const prefixed = (prefix: string, path: HttpRouter.PathInput): HttpRouter.PathInput =>
  prefix === "" ? path : (HttpRouter.prefixPath(path, prefix) as HttpRouter.PathInput)
