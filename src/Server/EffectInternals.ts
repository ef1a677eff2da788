/**
 * Everything that Flange takes from the inside of Effect, each part with its reason.
 * Some parts are there for speed, and `bench/internals.ts` measures what they save. If a
 * version of Effect differs, `test/Server/EffectInternals.test.ts` fails with the name of the
 * part.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import type * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import type * as HttpRouter from "effect/http/HttpRouter"
import type { HttpServerRequest, ParsedSearchParams } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import * as Scheduler from "effect/Scheduler"
import type * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import type * as Scope from "effect/Scope"
import type { Socket } from "effect/socket/Socket"
import * as Tracer from "effect/Tracer"

export { recur, replaceEncoding } from "../Contract/SchemaInternals.ts"

/**
 * The key under which `HttpEffect` keeps handlers that run before a reply is sent.
 * Effect does not export it, and `HttpEffect.appendPreResponseHandler` looks here.
 */
export const requestStateKey = "effect/http/HttpEffect/CurrentRequestState"

/**
 * The keys whose values Effect caches per context: a request that sets one needs a cache of
 * its own.
 */
export const cachedKeys: ReadonlySet<string> = new Set([
  References.CurrentLogLevel.key,
  References.CurrentStackFrame.key,
  References.MinimumLogLevel.key,
  References.TracerEnabled.key,
  Scheduler.MaxOpsBeforeYield.key,
  Scheduler.PreventSchedulerYield.key,
  Scheduler.Scheduler.key,
  Tracer.ParentSpan.key,
  Tracer.Tracer.key
])

/** Whether fibers that a fiber has forked still run. They are interrupted when it ends. */
export const hasChildren = (fiber: Fiber.Fiber<unknown, unknown>): boolean => {
  // Effect has no function for this.
  const { _children } = fiber as unknown as { readonly _children?: ReadonlySet<unknown> }
  return _children !== undefined && _children.size > 0
}

interface CacheRoot {
  cacheRoot: { _fiberCache?: object }
}

/**
 * Creates a context over a map that makes its values when they are looked up. The
 * map's `size` must be infinite: a context copies its map after as many lookups as
 * the map has entries, and the copy would make every value. For an app of sixty
 * services, a context that is copied for each request takes eleven times as long.
 */
export const lazyContext = (services: ReadonlyMap<string, unknown>): Context.Context<unknown> =>
  Context.makeUnsafe<unknown>(services)

/**
 * Lets two contexts share one cache of the `cachedKeys`. Both must have equal values
 * under these keys. Without the shared cache, the first fiber of each request looks up
 * every key again, and takes 1.6 to 2 times as long.
 */
export const shareCache = (
  context: Context.Context<unknown>,
  other: Context.Context<unknown>
): void => {
  // Effect has no constructor for this.
  ;(context as unknown as CacheRoot).cacheRoot = (other as unknown as CacheRoot).cacheRoot
}

/**
 * Gives a context the cache of another one, but for the span. Both must have equal values under
 * the other keys of the cache. A cache that is made anew looks up every key.
 */
export const shareCacheBut = (
  context: Context.Context<unknown>,
  other: Context.Context<unknown>,
  span: Tracer.AnySpan
): void => {
  // Effect keeps the cache there once a fiber has run with the context.
  const cache = (other as unknown as CacheRoot).cacheRoot._fiberCache
  if (cache !== undefined) {
    ;(context as unknown as CacheRoot).cacheRoot._fiberCache = { ...cache, span }
  }
}

/** The services of a context, which can be looked up but are not listed. */
class Unlisted extends Map<string, unknown> {
  readonly #context: Context.Context<unknown>

  constructor(context: Context.Context<unknown>) {
    super()
    this.#context = context
  }

  override get(key: string): unknown {
    // Only its `key` is read.
    return Context.getOrUndefined(this.#context, { key } as Context.Key<unknown, unknown>)
  }

  override has(key: string): boolean {
    return this.get(key) !== undefined
  }

  override get size(): number {
    return Infinity
  }
}

/**
 * Runs an effect in the context of its fiber, whose copies are empty. Effect copies a context
 * where it merges another one into it: to provide several services, and to run a finalizer.
 * In an app of sixty services, a transaction without a query takes less than half the time.
 *
 * Only for effects that run no effect of the app, which could miss a service.
 */
export const unlisted = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.updateContext(effect, (own: Context.Context<R>) => {
    // A context is the same for every type of its services.
    const whole = own as Context.Context<unknown>
    const context = lazyContext(new Unlisted(whole))
    shareCache(context, whole)
    return context as Context.Context<R>
  })

/**
 * Runs `outer` so that its copies of the context are empty, as `unlisted` does, and `inner`,
 * which it runs, with all services: those of the fiber, and those that `outer` provides.
 */
export const unlistedAround = <A, E, R, A2, E2, R2>(
  inner: Effect.Effect<A, E, R>,
  outer: (inner: Effect.Effect<A, E, R>) => Effect.Effect<A2, E2, R2>
): Effect.Effect<A2, E2, R2> =>
  Effect.withFiber((fiber) => {
    const own = fiber.context
    const whole = Effect.updateContext(inner, (provided: Context.Context<R>) => {
      let all = own
      for (const [key, service] of provided.mapUnsafe) {
        all = Context.addUnsafe<never, never, unknown>(all, key, service)
      }
      // `own` has the services that `outer` does not provide.
      return all as Context.Context<R>
    })
    return unlisted(outer(whole))
  })

/** How a response body is encoded to bytes. */
export interface ResponseEncoding {
  readonly _tag: "FormUrlEncoded" | "Json" | "Text" | "Uint8Array"
  readonly contentType: string
}

/** The annotation of a schema whose reply has typed headers. */
interface WithHeadersAnnotation {
  readonly body: Schema.Top
  readonly bodyCodec: Schema.Top
  readonly headersCodec: Schema.Top
  readonly transformation: {
    readonly encode: (value: unknown) => { readonly body: unknown; readonly headers: unknown }
  }
}

interface SchemaInternals {
  readonly getErrorSchemas: (endpoint: HttpApiEndpoint.Top) => ReadonlyArray<Schema.Top>
  readonly getResponseEncodingSchema: (schema: Schema.Top) => ResponseEncoding
  readonly getStatusErrorSchema: (schema: Schema.Top) => number
  readonly getStatusSuccessSchema: (schema: Schema.Top) => number
  readonly getWithHeadersAnnotation: (ast: SchemaAST.AST) => WithHeadersAnnotation | undefined
  readonly isStreamSchema: (schema: unknown) => boolean
  readonly isStreamSse: (schema: unknown) => boolean
  readonly isUpgrade: (schema: unknown) => boolean
  readonly isWithHeadersValue: (
    value: unknown
  ) => value is HttpApiSchema.withHeaders<unknown, unknown>
}

/** The functions behind `HttpApiBuilder`'s own encoding, marked internal. */
export const {
  getErrorSchemas,
  getResponseEncodingSchema,
  getStatusErrorSchema,
  getStatusSuccessSchema,
  getWithHeadersAnnotation,
  isStreamSchema,
  isStreamSse,
  isUpgrade,
  isWithHeadersValue
}: SchemaInternals =
  // Marked internal, so the declarations do not have them.
  { ...HttpApiEndpoint, ...HttpApiSchema } as unknown as SchemaInternals

/** Returns a node with other parts. Effect's classes of nodes keep all they have in own properties. */
export const copyNode = <A extends SchemaAST.AST>(ast: A, parts: Partial<SchemaAST.AST>): A =>
  Object.assign(Object.create(Object.getPrototypeOf(ast) as object), ast, parts) as A

/** A handler as the user wrote it. */
export interface UserHandler {
  readonly endpoint: HttpApiEndpoint.Top
  readonly handler: (request: never) => Effect.Effect<unknown, unknown, unknown>
  /** Whether it reads the request's payload itself. */
  readonly isRaw: boolean
  readonly uninterruptible: boolean
}

/** Effect's own handler of one endpoint. */
export type EffectHandler = Effect.Effect<
  HttpServerResponse,
  unknown,
  HttpRouter.RouteContext | HttpServerRequest | ParsedSearchParams | Scope.Scope
>

/** The service that `HttpApiBuilder.group` stores under a group's key. */
interface GroupService {
  readonly routes: ReadonlyArray<{
    readonly handler: EffectHandler
    readonly path: HttpRouter.PathInput
  }>
}

interface Handlers {
  readonly handlers: ReadonlyMap<string, UserHandler>
}

/** The parts of an endpoint that `endpointWith` can replace. */
type Parts = Pick<
  HttpApiEndpoint.Top,
  "error" | "headers" | "middlewares" | "params" | "payload" | "query" | "success"
>

/** The part of an upgrade request that its copies share. */
interface UpgradeState {
  upgradeWith: HttpServerRequest["upgradeWith"]
}

/**
 * Changes the socket that an upgrade request of Effect's Node server gives to its handler.
 * `modify` returns copies of a request, which would lose a changed method.
 */
export const mapUpgrade = (
  request: HttpServerRequest,
  change: (socket: Socket) => Socket
): void => {
  // A private member of the class.
  const { upgradeState } = request as unknown as { readonly upgradeState: UpgradeState }
  const { upgradeWith } = upgradeState
  const changed: typeof upgradeWith = (...options) => Effect.map(upgradeWith(...options), change)
  upgradeState.upgradeWith = changed
}

/** Returns an endpoint with other parts. */
// An endpoint keeps its parts in own properties.
const endpointWith = (endpoint: HttpApiEndpoint.Top, parts: Partial<Parts>): HttpApiEndpoint.Top =>
  Object.assign(Object.create(null), endpoint, parts) as HttpApiEndpoint.Top

/** Parts that Effect's own handler ignores. */
const noParts = { headers: undefined, middlewares: new Set<never>(), query: undefined }

/** A handler of a group, as the user wrote it and as Effect serves it. */
interface GroupHandler {
  /** Effect's own handler; undefined if the endpoint does not need it. */
  readonly effect: EffectHandler | undefined
  /** In the router's syntax. */
  readonly path: HttpRouter.PathInput
  readonly written: UserHandler
}

/**
 * Returns the handlers of a group. For an endpoint that Effect has to serve, `served`
 * returns the payload that Effect decodes and the handler that Effect calls.
 *
 * `HttpApiBuilder` does not expose the handlers and the router's paths. Without changed
 * endpoints it would also build the decoders and encoders of every endpoint, and the
 * handlers of a group of a thousand would take 12 to 17% longer to make.
 */
export const groupHandlers = (
  contract: HttpApiGroup.Top,
  build: (handlers: unknown) => unknown,
  served: (
    written: UserHandler
  ) => (Pick<UserHandler, "handler"> & Pick<Parts, "payload">) | undefined
) =>
  Effect.gen(function* () {
    const all: Array<{ readonly isServed: boolean; readonly written: UserHandler }> = []
    const take = (built: unknown): Handlers => {
      const own: Array<UserHandler> = []
      for (const written of (built as Handlers).handlers.values()) {
        const { endpoint } = written
        const nothing = { error: new Set<never>(), payload: new Map(), success: new Set<never>() }
        // Only its path is used.
        own.push({ ...written, endpoint: endpointWith(endpoint, { ...noParts, ...nothing }) })
        const other = served(written)
        if (other !== undefined) {
          const { handler, payload } = other
          const parts = { ...noParts, params: undefined, payload }
          own.push({ ...written, endpoint: endpointWith(endpoint, parts), handler })
        }
        all.push({ isServed: other !== undefined, written })
      }
      return { handlers: new Map(own.map((handler, i) => [String(i), handler])) }
    }
    const api = HttpApi.make("flange").add(contract)
    // The types of `Route` have the requirements and the failures of the group.
    const layer = HttpApiBuilder.group(api, contract.identifier, ((handlers: unknown) => {
      const built = build(handlers)
      return Effect.isEffect(built) ? Effect.map(built, take) : take(built)
    }) as never) as Layer.Layer<never>
    const context = yield* Layer.build(layer)
    const { routes } = context.mapUnsafe.get(contract.key) as GroupService
    let at = 0
    return all.map(({ isServed, written }): GroupHandler => {
      const { path } = routes[at++]!
      return { effect: isServed ? routes[at++]!.handler : undefined, path, written }
    })
  })
