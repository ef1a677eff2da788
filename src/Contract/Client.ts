/** The typed client of a contract. */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { flow, identity } from "effect/Function"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import type * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as FindMyWay from "effect/http/FindMyWay"
import type * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import type { Simplify } from "effect/Types"
import * as ClientDefaults from "./ClientDefaults.ts"
import * as ClientParts from "./ClientParts.ts"
import * as EnvelopedClient from "./EnvelopedClient.ts"
import * as OwnKeys from "./OwnKeys.ts"
import * as PathWriter from "./PathWriter.ts"
import * as RoutePath from "./RoutePath.ts"
import * as SentKey from "./SentKey.ts"

/**
 * A parameter of a path has a value that no request can carry to its endpoint. Nothing was sent.
 *
 * The value is empty or missing, is `.` or `..`, which clients resolve, is not well-formed
 * Unicode, would be read as another value, or makes the path of another endpoint.
 */
export class InvalidParameter extends Data.TaggedError("InvalidParameter")<{
  /** The name of the endpoint in its group. */
  readonly endpoint: string
  /** The name of the group. */
  readonly group: string
  readonly method: string
  /** The name of the parameter; `*` for the rest of a path. */
  readonly parameter: string
  /** The path as the contract declares it. */
  readonly path: string
  /** Why the value is refused, and what to write instead. */
  readonly reason: string
  /** The encoded value; undefined if it is missing. */
  readonly value: string | undefined
}> {
  override get message(): string {
    const { endpoint, group, method, parameter, path, reason, value } = this
    const shown = value === undefined ? "" : ` has the value ${PathWriter.quoted(value)}, which`
    return `The request ${group}.${endpoint} (${method} ${path}) was not sent: parameter "${parameter}"${shown} ${reason}.`
  }
}

/** The options of a client: those of Effect's `HttpApiClient.make`. */
export interface Options extends NonNullable<Parameters<typeof HttpApiClient.make>[1]> {}

/** The client of the groups of a contract: a method for each endpoint. */
export type Client<Groups extends HttpApiGroup.Constraint> = Simplify<
  {
    readonly [
      Group in Extract<Groups, { readonly topLevel: false }> as HttpApiGroup.Identifier<Group>
    ]: OfGroup<Group>
  } & OfTopLevel<Groups>
>

type OfGroup<Group extends HttpApiGroup.Constraint> =
  Group["endpoints"] extends infer Endpoints extends Readonly<
    Record<string, HttpApiEndpoint.ConstraintRequest>
  >
    ? {
        readonly [Name in keyof Endpoints]: ClientDefaults.Method<Endpoints[Name], InvalidParameter>
      }
    : {}

type OfTopLevel<Groups extends HttpApiGroup.Constraint> = {
  readonly [
    Endpoint in Extract<
      HttpApiGroup.Endpoints<Extract<Groups, { readonly topLevel: true }>>,
      HttpApiEndpoint.ConstraintRequest
    > as Endpoint["identifier"]
  ]: ClientDefaults.Method<Endpoint, InvalidParameter>
}

/** The client of a contract, such as `ForApi<typeof app.api>`. */
export type ForApi<Api extends HttpApi.Constraint> =
  Api extends HttpApi.HttpApi<infer _Id, infer Groups> ? Client<Groups> : never

/**
 * Creates the typed client of a contract: Effect's `HttpApiClient.make`, which writes paths as the
 * server reads them. A browser can import it.
 *
 * A method fails with `InvalidParameter`, before anything is sent, if a path cannot carry a
 * parameter: with the `id` `""`, `DELETE /items/:id` would be `DELETE /items`. `*` is sent with
 * the value of the parameter `"*"`, whose slashes are slashes of the path. An optional parameter
 * that is absent is left out. `::` is sent as a colon. Fields of a query or of a payload that have a
 * default for decoding are optional: the client sends the default.
 *
 * Errors in the envelope of the contract (`ErrorEnvelope`) are decoded. `app.api` has the envelope
 * of the app; a contract that is put together in a browser gets it with the annotation
 * `ErrorEnvelope.Envelope`.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as HttpApi from "effect/http-api/HttpApi"
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
 * import * as FetchHttpClient from "effect/http/FetchHttpClient"
 * import * as Schema from "effect/Schema"
 * import { Client } from "flange/Contract"
 *
 * const ItemsApi = HttpApiGroup.make("items").add(
 *   HttpApiEndpoint.delete("remove", "/items/:id", { params: { id: Schema.String } })
 * )
 *
 * const remove = (id: string) =>
 *   Effect.gen(function* () {
 *     const { items } = yield* Client.make(HttpApi.make("shop").add(ItemsApi), {
 *       baseUrl: "https://shop.example.com"
 *     })
 *     yield* items.remove({ params: { id } })
 *   }).pipe(Effect.provide(FetchHttpClient.layer))
 *
 * const error = await Effect.runPromise(Effect.flip(remove("")))
 * error._tag // => "InvalidParameter"
 * ```
 */
export const make = <ApiId extends string, Groups extends HttpApiGroup.Constraint>(
  api: HttpApi.HttpApi<ApiId, Groups>,
  options?: Options
): Effect.Effect<
  Client<Groups>,
  never,
  HttpApiGroup.MiddlewareClient<Groups> | HttpClient.HttpClient
> => {
  // The functions below read any contract.
  const whole = api as unknown as HttpApi.Top
  const groups = Object.values(whole.groups)
  const routes: PathWriter.Routes = FindMyWay.make(RoutePath.routerConfig)
  const paths = groups.map((group) => [group, pathsOf(whole, group, routes)] as const)
  // The copies have the groups and endpoints of `api`.
  const copy = groups.reduce(
    (all, group) => all.add(withPaths(group)),
    whole
  ) as unknown as typeof api
  const transformClient = flow(
    EnvelopedClient.transform(whole),
    SentKey.transform,
    options?.transformClient ?? identity
  )
  return HttpApiClient.make(copy, { ...options, transformClient }).pipe(
    Effect.map(
      // `checked` keeps the names and the signatures of the methods, and adds one error.
      (client) => checked(client as unknown as Methods, paths) as unknown as Client<Groups>
    ),
    Effect.provide(PathClient)
  )
}

type Method = (request: unknown) => Effect.Effect<unknown, unknown, unknown>

/** A client of groups and of endpoints in groups at the top level. */
type Methods = Readonly<Record<string, Method | Readonly<Record<string, Method>>>>

/** Writes the path of a request from its parameters. */
type WritePath = (
  request: { readonly params?: unknown } | undefined
) => Effect.Effect<string, InvalidParameter | Schema.SchemaError, unknown>

/** The path of the request that a fiber sends. */
const Path = Context.Reference<string>("flange/Client/Path", { defaultValue: () => "/" })

/** The outermost middleware of a client: any other one gets the request with its path. */
class PathMiddleware extends HttpApiMiddleware.Service<PathMiddleware>()("flange/Client/Path") {}

const PathClient = HttpApiMiddleware.layerClient(PathMiddleware, ({ next, request }) =>
  Effect.flatMap(Path, (path) => next(HttpClientRequest.setUrl(request, path)))
)

/** Returns a copy of a group for a client. Its paths are written by `PathMiddleware` only. */
const withPaths = (group: HttpApiGroup.Top): HttpApiGroup.Top =>
  Object.values(group.endpoints).reduce(
    // `middleware` returns a new endpoint, and `add` replaces the one of the same name.
    (copy, endpoint) =>
      copy.add(
        Object.assign(endpoint.middleware(PathMiddleware), ClientParts.of(endpoint), {
          params: undefined
        })
      ),
    group
  )

/** Returns the methods of a client with their paths checked. */
const checked = (
  client: Methods,
  paths: ReadonlyArray<readonly [HttpApiGroup.Top, ReadonlyMap<string, WritePath>]>
): Methods =>
  Object.fromEntries(
    paths.flatMap(
      ([{ endpoints, identifier, topLevel }, writers]): ReadonlyArray<
        [string, Methods[string]]
      > => {
        const own = (topLevel ? client : client[identifier]) as Readonly<Record<string, Method>>
        const methods = [...writers].map(([name, write]): [string, Method] => {
          const send = own[name]!
          const complete = ClientDefaults.make(endpoints[name]!)
          const sent: Method =
            complete === undefined
              ? send
              : (request) => Effect.flatMap(complete(request), (whole) => send(whole))
          return [
            name,
            (request) =>
              Effect.flatMap(write(request as { readonly params?: unknown } | undefined), (path) =>
                Effect.provideService(sent(request), Path, path)
              )
          ]
        })
        return topLevel ? methods : [[identifier, Object.fromEntries(methods)]]
      }
    )
  )

const pathsOf = (
  api: HttpApi.Top,
  group: HttpApiGroup.Top,
  routes: PathWriter.Routes
): ReadonlyMap<string, WritePath> =>
  new Map(
    Object.values(group.endpoints).map((endpoint) => [
      endpoint.identifier,
      pathOf(
        endpoint,
        group.identifier,
        routes,
        Context.mergeAll(api.annotations, group.annotations, endpoint.annotations)
      )
    ])
  )

const pathOf = (
  endpoint: HttpApiEndpoint.Top,
  group: string,
  routes: PathWriter.Routes,
  annotations: Context.Context<never>
): WritePath => {
  const { identifier, method, params, path } = endpoint
  const { fault, parts } = RoutePath.parse(path, RoutePath.declaredNames(params))
  if (fault !== undefined) {
    const message = `The path of ${group}.${identifier} (${method} ${path}) cannot be called. ${fault}.`
    return () => Effect.die(new TypeError(message))
  }
  const write = PathWriter.make(parts, { method, name: `${group}.${identifier}`, routes })
  const written = (values: PathWriter.Values) => {
    const result = write(values)
    return Result.isSuccess(result)
      ? Effect.succeed(result.success)
      : Effect.fail(
          new InvalidParameter({ endpoint: identifier, group, method, path, ...result.failure })
        )
  }
  if (params === undefined) return () => written({})
  const own = annotations as Context.Context<HttpApi.ParamsParseOptions | HttpApi.ParseOptions>
  const encode = OwnKeys.encodeUnknownEffect(
    params,
    Context.getOrUndefined(own, HttpApi.ParamsParseOptions) ??
      Context.getOrUndefined(own, HttpApi.ParseOptions)
  )
  // Parameters are encoded as text.
  return (request) =>
    Effect.flatMap(encode(request?.params), (values) => written(values as PathWriter.Values))
}
