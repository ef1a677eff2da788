/** Route groups: a contract, its handlers, and who may reach them. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import type * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import type { HttpMethod } from "effect/http/HttpMethod"
import * as HttpRouter from "effect/http/HttpRouter"
import type * as HttpServerError from "effect/http/HttpServerError"
import type { HttpServerRequest, ParsedSearchParams } from "effect/http/HttpServerRequest"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Contribution from "../Plugin/Contribution.ts"
import * as Authentication from "./Authentication.ts"
import {
  InternalError,
  MalformedRequest,
  PayloadTooLarge,
  ServiceUnavailable,
  UnsupportedMediaType,
  ValidationFailed
} from "./Catalogue.ts"
import * as Guard from "./Guard.ts"
import type { Access, AroundHandler } from "./Middleware.ts"

/**
 * The errors that every endpoint may answer with, whatever its handler does. It
 * is in the contract so that OpenAPI and the client know them; the server itself
 * produces them.
 */
export class StandardErrors extends HttpApiMiddleware.Service<StandardErrors>()(
  "flange/StandardErrors",
  {
    error: [
      InternalError,
      MalformedRequest,
      PayloadTooLarge,
      ServiceUnavailable,
      UnsupportedMediaType,
      ValidationFailed
    ]
  }
) {}

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

/** Method and path of a row, known before anything is acquired. */
export interface Declared {
  readonly endpoint: HttpApiEndpoint.Top
  readonly method: string
  readonly path: string
}

/** A route group, as a plugin contributes it. */
export interface Route<
  out E = never,
  out R = never,
  out Groups extends HttpApiGroup.Constraint = never
> extends Contribution.Contribution<"route", E, R, Groups, Middlewares<Groups>> {
  readonly access: Access
  /** The rows that are known before boot; those of a raw group are known after its layer is built. */
  readonly declared: ReadonlyArray<Declared>
  /** The contract with everything that access adds to it; undefined for a raw group. */
  readonly group: HttpApiGroup.Top | undefined
  readonly rows: Effect.Effect<ReadonlyArray<Row>, E, R | Scope.Scope>
}

/** The services of the middleware in a contract that plugins provide. */
type Middlewares<G> = Exclude<
  HttpApiEndpoint.Middleware<HttpApiGroup.Endpoints<G>>,
  Guard.Guard | StandardErrors
>

/** A group's contract with the errors that every endpoint may answer with. */
export type Public<G extends HttpApiGroup.Constraint> = HttpApiGroup.AddMiddleware<
  G,
  StandardErrors
>

/** A group's contract behind an authentication chain. */
export type Protected<
  G extends HttpApiGroup.Constraint,
  Chain extends string = Authentication.DefaultChain
> = HttpApiGroup.AddMiddleware<Public<G>, Authentication.Authentication<Chain>>

/** A group's contract behind an authentication chain that lets callers without credentials pass. */
export type Optional<
  G extends HttpApiGroup.Constraint,
  Chain extends string = Authentication.DefaultChain
> = HttpApiGroup.AddMiddleware<Public<G>, Authentication.OptionalAuthentication<Chain>>

/** What the handlers of a group need from plugins: what the server provides is taken away. */
type Needs<Return> = Exclude<
  Unwrap<HttpApiBuilder.Handlers.Context<Return>>,
  Guard.Guard | HttpRouter.Provided | StandardErrors
>

type Unwrap<R> = R extends HttpRouter.Request<"Requires", infer T> ? T : R

/**
 * Given to `Route.public` and the others: implements the group. Returns the
 * handlers, or an effect of them that takes services first.
 */
export type Build<G extends HttpApiGroup.Constraint, Return> = (
  handlers: HttpApiBuilder.Handlers.FromGroup<G>
) => HttpApiBuilder.Handlers.ValidateReturn<Return>

/** The same for a group without authentication, whose handlers must not ask who calls. */
export type BuildAnonymous<G extends HttpApiGroup.Constraint, Return> = (
  handlers: HttpApiBuilder.Handlers.FromGroup<G>
) => unknown extends Needs<Return>
  ? HttpApiBuilder.Handlers.ValidateReturn<Return>
  : Authentication.CurrentIdentity extends Needs<Return>
    ? "Only protected routes know their caller: use Route.protected instead"
    : Authentication.OptionalIdentity extends Needs<Return>
      ? "Only optional routes ask who may be calling: use Route.optional instead"
      : HttpApiBuilder.Handlers.ValidateReturn<Return>

/** The same for a group whose callers may be unknown. */
export type BuildOptional<G extends HttpApiGroup.Constraint, Return> = (
  handlers: HttpApiBuilder.Handlers.FromGroup<G>
) => Authentication.CurrentIdentity extends Needs<Return>
  ? "The caller of an optional route may be unknown: use OptionalIdentity, or Route.protected"
  : HttpApiBuilder.Handlers.ValidateReturn<Return>

const group = <G extends HttpApiGroup.Constraint, Return>(
  access: Access,
  contract: HttpApiGroup.Top,
  build: unknown
): Route<HttpApiBuilder.Handlers.Error<Return>, Needs<Return>, G> => ({
  ...Contribution.make<
    "route",
    HttpApiBuilder.Handlers.Error<Return>,
    Needs<Return>,
    G,
    Middlewares<G>
  >("route", contract.identifier, middlewareKeys(contract)),
  access,
  declared: Object.values(contract.endpoints).map((endpoint) => ({
    endpoint,
    method: endpoint.method,
    path: endpoint.path
  })),
  group: contract,
  // The public constructors below check the handlers against the contract.
  rows: groupRows(contract, build as (handlers: unknown) => unknown) as Route<
    HttpApiBuilder.Handlers.Error<Return>,
    Needs<Return>
  >["rows"]
})

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

const groupRows = (contract: HttpApiGroup.Top, build: (handlers: unknown) => unknown) =>
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

const middlewareKeys = (contract: HttpApiGroup.Top): ReadonlyArray<Context.Key<any, unknown>> =>
  [
    ...new Set(Object.values(contract.endpoints).flatMap((endpoint) => [...endpoint.middlewares]))
  ].filter((key) => key.key !== StandardErrors.key && !Guard.isGuard(key))

const middlewares = (contract: HttpApiGroup.Top, ...keys: ReadonlyArray<unknown>) =>
  keys.reduce<HttpApiGroup.Top>(
    (group, key) => group.middleware(key as never) as unknown as HttpApiGroup.Top,
    contract
  )

/**
 * A group without any slot: no request log, no headers, no limits. For liveness.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
 * import { Route } from "flange"
 *
 * const PingApi = HttpApiGroup.make("ping").add(HttpApiEndpoint.get("ping", "/ping"))
 * const Ping = Route.bare(PingApi, (handlers) => handlers.handleAll({ ping: () => Effect.void }))
 * Ping.access.type // => "bare"
 * ```
 */
export const bare = <G extends HttpApiGroup.Constraint, Return>(
  contract: G,
  build: BuildAnonymous<Public<G>, Return>
): Route<HttpApiBuilder.Handlers.Error<Return>, Needs<Return>, Public<G>> =>
  group({ type: "bare" }, middlewares(contract as never, StandardErrors), build)

const public_ = <G extends HttpApiGroup.Constraint, Return>(
  contract: G,
  build: BuildAnonymous<Public<G>, Return>
): Route<HttpApiBuilder.Handlers.Error<Return>, Needs<Return>, Public<G>> =>
  group({ type: "public" }, middlewares(contract as never, StandardErrors), build)

const protected_ = <G extends HttpApiGroup.Constraint, Return>(
  contract: G,
  build: Build<Protected<G>, Return>
): Route<HttpApiBuilder.Handlers.Error<Return>, Needs<Return>, Protected<G>> =>
  protectedWith("default")(contract, build)

export {
  /**
   * A group whose callers are authenticated by the default chain. Its handlers
   * may read `CurrentIdentity`; its contract says 401. An app without a plugin
   * that provides the chain does not compile.
   */
  protected_ as protected,
  /** A group that everybody may call, with every slot but those about the caller. */
  public_ as public
}

/** The same as `protected`: forgetting to say who may call is safe. */
export const make: typeof protected_ = protected_

/** A group whose callers are authenticated by the chain with this name. */
export const protectedWith =
  <const Chain extends string>(chain: Chain) =>
  <G extends HttpApiGroup.Constraint, Return>(
    contract: G,
    build: Build<Protected<G, Chain>, Return>
  ): Route<HttpApiBuilder.Handlers.Error<Return>, Needs<Return>, Protected<G, Chain>> =>
    group(
      { chain, type: "protected" },
      middlewares(contract as never, StandardErrors, Authentication.middleware(chain)),
      build
    )

/**
 * A group that serves known callers and those without credentials: its handlers
 * read `OptionalIdentity`. Wrong credentials are refused with 401. The chain must
 * be one that says `unauthenticated: "anonymous"`; with another the app does not
 * compile.
 */
export const optionalWith =
  <const Chain extends string>(chain: Chain) =>
  <G extends HttpApiGroup.Constraint, Return>(
    contract: G,
    build: BuildOptional<Optional<G, Chain>, Return>
  ): Route<HttpApiBuilder.Handlers.Error<Return>, Needs<Return>, Optional<G, Chain>> =>
    group(
      { chain, type: "optional" },
      middlewares(contract as never, StandardErrors, Authentication.optionalMiddleware(chain)),
      build
    )

/** `optionalWith` the default chain. */
export const optional = <G extends HttpApiGroup.Constraint, Return>(
  contract: G,
  build: BuildOptional<Optional<G>, Return>
): Route<HttpApiBuilder.Handlers.Error<Return>, Needs<Return>, Optional<G>> =>
  optionalWith("default")(contract, build)

/** The services of a layer of routes that plugins must provide. */
type RawNeeds<R> = Exclude<
  R extends HttpRouter.Request<string, unknown>
    ? R extends HttpRouter.Request<"GlobalRequires" | "Requires", infer T>
      ? T
      : never
    : R,
  HttpRouter.HttpRouter | HttpRouter.Provided
>

/**
 * A group of plain `HttpRouter` routes: what `HttpApi` cannot express. Global
 * middleware of the layer stays inside the group.
 *
 * @example
 * ```ts
 * import * as HttpRouter from "effect/http/HttpRouter"
 * import * as HttpServerResponse from "effect/http/HttpServerResponse"
 * import { Route } from "flange"
 *
 * const robots = HttpRouter.add("GET", "/robots.txt", HttpServerResponse.text("User-agent: *"))
 * Route.raw("robots", robots, { access: "public" }).name // => "robots"
 * ```
 */
export const raw = <E, R>(
  name: string,
  layer: Layer.Layer<never, E, R>,
  options: { readonly access: "bare" | "public" }
): Route<E, RawNeeds<R>> => ({
  ...Contribution.make<"route", E, RawNeeds<R>>("route", name),
  access: { type: options.access },
  declared: [],
  group: undefined,
  // The router that is provided here takes the rest of `R` away.
  rows: rawRows(name, layer as Layer.Layer<never, E, HttpRouter.HttpRouter>) as Route<
    E,
    RawNeeds<R>
  >["rows"]
})

const rawRows = <E>(name: string, layer: Layer.Layer<never, E, HttpRouter.HttpRouter>) =>
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

/**
 * Endpoints with a method that `HttpApiEndpoint` has no constructor for, such as
 * `PURGE`. The method must be one that the listener's parser knows
 * (`http.METHODS` in Node).
 *
 * @example
 * ```ts
 * import { Route } from "flange"
 *
 * Route.method("PURGE")("purge", "/cache").method // => "PURGE"
 * ```
 */
export const method = (name: string): ReturnType<typeof HttpApiEndpoint.make<"POST">> =>
  // Effect's own list of methods is a type only; the router takes any.
  HttpApiEndpoint.make(name as HttpMethod) as never

/** Whether a contribution is a route group. */
export const isRoute = (
  contribution: Contribution.Any
): contribution is Route<unknown, unknown, HttpApiGroup.Constraint> => contribution.kind === "route"
