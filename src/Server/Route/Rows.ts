/** The rows that a route group puts into the route table. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import type * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpRouter from "effect/http/HttpRouter"
import type * as HttpServerError from "effect/http/HttpServerError"
import type { HttpServerRequest, ParsedSearchParams } from "effect/http/HttpServerRequest"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { StandardErrors } from "../../Contract/StandardErrors.ts"
import type { AroundHandler } from "./Middleware.ts"

/** The handler of a row of the route table. */
export type Handler = Effect.Effect<
  HttpServerResponse,
  unknown,
  HttpRouter.RouteContext | HttpServerRequest | ParsedSearchParams | Scope.Scope
>

/** One row of the route table, before the slots are put around its handler. */
export interface Row {
  /** The group's contract, where the route has one. */
  readonly contract: HttpApiGroup.Top | undefined
  readonly endpoint: HttpApiEndpoint.Top | undefined
  readonly group: string
  readonly handler: Handler
  readonly method: string
  /** In the router's syntax. */
  readonly path: HttpRouter.PathInput
  /** The user's handler; undefined where it reads the request itself. */
  readonly runtime: Runtime | undefined
}

/** A handler as the user wrote it. */
export interface Runtime {
  /** Set once, before the first request: what middleware puts around the handler itself. */
  around: AroundHandler | undefined
  readonly handler: (request: never) => Effect.Effect<unknown, unknown, unknown>
  readonly uninterruptible: boolean
}

/** What `HttpApiBuilder.group` puts under a group's key; not among its exported types. */
interface GroupService {
  readonly handlers: Map<
    string,
    {
      readonly endpoint: HttpApiEndpoint.Top
      readonly handler: (request: never) => Effect.Effect<unknown, unknown, unknown>
      readonly isRaw: boolean
      readonly uninterruptible: boolean
    }
  >
  readonly routes: ReadonlyArray<{ readonly handler: Handler; readonly path: HttpRouter.PathInput }>
}

/** All issues of a request are reported, not the first. */
const allIssues = { errors: "all" } as const

/** The rows of a group: its contract joined with its handlers. */
export const groupRows = (contract: HttpApiGroup.Top, build: (handlers: unknown) => unknown) =>
  Effect.gen(function* () {
    const api = HttpApi.make("flange").annotate(HttpApi.ParseOptions, allIssues).add(contract)
    const runtimes = new Map<string, Runtime>()
    const layer = HttpApiBuilder.group(api, contract.identifier, ((handlers: unknown) => {
      const built = build(handlers)
      return Effect.isEffect(built)
        ? Effect.map(built, (handlers) => prepare(handlers, runtimes))
        : prepare(built, runtimes)
    }) as never)
    const context: Context.Context<never> = yield* Layer.build(
      Layer.provide(
        layer as Layer.Layer<never>,
        Layer.succeed(StandardErrors, (next) => next)
      )
    )
    const service = context.mapUnsafe.get(contract.key) as GroupService
    return [...service.handlers].map(([identifier, { endpoint, isRaw }], i): Row => {
      const route = service.routes[i]!
      return {
        contract,
        endpoint,
        group: contract.identifier,
        handler: route.handler,
        method: endpoint.method,
        path: route.path,
        runtime: isRaw ? undefined : runtimes.get(identifier)
      }
    })
  })

/**
 * Keeps the handlers as they were written for the compiled lane, and lets those
 * of the general lane return anything that can become a response.
 */
const prepare = (built: unknown, runtimes: Map<string, Runtime>): unknown => {
  const { handlers } = built as Pick<GroupService, "handlers">
  for (const [identifier, { handler, uninterruptible, ...rest }] of handlers) {
    const runtime: Runtime = { around: undefined, handler, uninterruptible }
    runtimes.set(identifier, runtime)
    handlers.set(identifier, {
      ...rest,
      handler: (request) =>
        Effect.flatMap(call(runtime, request), (value) =>
          HttpServerRespondable.isRespondable(value)
            ? HttpServerRespondable.toResponse(value)
            : Effect.succeed(value)
        ),
      uninterruptible
    })
  }
  return built
}

/** Calls a handler with what middleware put around it. */
export const call = (
  { around, handler }: Runtime,
  request: never
): Effect.Effect<unknown, unknown, unknown> =>
  around === undefined ? handler(request) : around(handler(request))

/** The rows of a layer of plain routes. */
export const rawRows = <E>(name: string, layer: Layer.Layer<never, E, HttpRouter.HttpRouter>) =>
  Effect.gen(function* () {
    const router = yield* HttpRouter.make
    const declared: Array<{ readonly method: string; readonly path: HttpRouter.PathInput }> = []
    yield* Layer.build(
      Layer.provide(layer, Layer.succeed(HttpRouter.HttpRouter, recording(router, "", declared)))
    )
    const handler = router.asHttpEffect() as Effect.Effect<
      HttpServerResponse,
      HttpServerError.HttpServerError,
      HttpServerRequest | Scope.Scope
    >
    return declared.map((row): Row => ({
      ...row,
      contract: undefined,
      endpoint: undefined,
      group: name,
      handler,
      runtime: undefined
    }))
  })

/** A router that also writes down what is added to it. */
const recording = (
  router: HttpRouter.HttpRouter,
  prefix: string,
  declared: Array<{ readonly method: string; readonly path: HttpRouter.PathInput }>
): HttpRouter.HttpRouter => ({
  ...router,
  add: (method, path, handler, options) => {
    declared.push({ method, path: prefixed(prefix, path) })
    return router.add(method, path, handler, options)
  },
  addAll: (routes) => {
    for (const { method, path } of routes) declared.push({ method, path: prefixed(prefix, path) })
    return router.addAll(routes)
  },
  prefixed: (more) => recording(router.prefixed(more), prefixed(prefix, more as "/"), declared)
})

const prefixed = (prefix: string, path: HttpRouter.PathInput): HttpRouter.PathInput =>
  prefix === "" ? path : (HttpRouter.prefixPath(path, prefix) as HttpRouter.PathInput)
