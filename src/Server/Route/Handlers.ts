/**
 * The handlers of a group: the types of Effect's `HttpApiBuilder.Handlers`, with the compiler's
 * messages of Flange.
 */
import type * as Effect from "effect/Effect"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import type * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import type * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import type * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import type { Pipeable } from "effect/Pipeable"
import type * as Schema from "effect/Schema"
import type * as Authentication from "../../Contract/Authentication.ts"
import type { StandardErrors } from "../../Contract/StandardErrors.ts"
import type { IsOne } from "../../Plugin/Listing.ts"
import type * as Sentence from "./Sentence.ts"

/** A group whose endpoints have the types that handlers need. */
export interface Group extends HttpApiGroup.Constraint {
  readonly endpoints: Readonly<
    Record<string, HttpApiEndpoint.ConstraintRequest & { readonly "~MiddlewareServices": unknown }>
  >
}

/** A reply, which a handler may return instead of a value of its contract. */
interface RespondableSchema extends Schema.ConstraintCodec<HttpServerRespondable.Respondable> {}

/** The members that a route adds to the argument of its handlers. */
type Added<Middleware> = [Authentication.CurrentIdentity] extends [
  HttpApiMiddleware.Provides<Middleware>
]
  ? { readonly identity: Authentication.Identity }
  : {}

/** An endpoint with the parts that its route adds, as its handler sees it. */
interface HandlerEndpoint<
  Endpoint extends Group["endpoints"][string],
  Middleware extends HttpApiMiddleware.AnyId
>
  extends HttpApiEndpoint.ConstraintRequest {
  readonly "~Error": Endpoint["~Error"]
  readonly "~Headers": Endpoint["~Headers"]
  readonly "~Middleware": Endpoint["~Middleware"] | Middleware | StandardErrors
  readonly "~MiddlewareServices": HttpApiMiddleware.ApplyServices<
    Middleware,
    Endpoint["~MiddlewareServices"]
  >
  readonly "~Params": Endpoint["~Params"]
  readonly "~Payload": Endpoint["~Payload"]
  readonly "~Query": Endpoint["~Query"]
  readonly "~Request": Added<Middleware> & Endpoint["~Request"]
  readonly "~RequestRaw": Added<Middleware> & Endpoint["~RequestRaw"]
  readonly "~Success": Endpoint["~Success"] | RespondableSchema
  readonly identifier: Endpoint["identifier"]
}

type EndpointOf<
  G extends Group,
  Middleware extends HttpApiMiddleware.AnyId,
  Name extends keyof G["endpoints"]
> = HandlerEndpoint<G["endpoints"][Name], Middleware>

interface AnyEndpoint extends HttpApiEndpoint.ConstraintRequest {
  readonly "~MiddlewareServices": unknown
}

type NameIn<G extends Group> = keyof G["endpoints"] & string

/** The handler that the contract of an endpoint asks for. */
type Declared<Endpoint extends AnyEndpoint> = HttpApiEndpoint.Handler<
  Endpoint,
  HttpApiMiddleware.Error<Endpoint["~Middleware"]>,
  unknown
>

/** The same for a handler that reads the body itself. */
type DeclaredRaw<Endpoint extends AnyEndpoint> = HttpApiEndpoint.HandlerRaw<
  Endpoint,
  HttpApiMiddleware.Error<Endpoint["~Middleware"]>,
  unknown
>

/**
 * The type by which the compiler infers the parameter and the literals of a handler. It lets every
 * reply pass: `Sentence.OfHandler` refuses those that do not fit.
 */
type Shape<Handler extends Sentence.Handler> = (request: Parameters<Handler>[0]) => Reply<Handler>

type Reply<Handler extends Sentence.Handler> =
  | ReturnType<Handler>
  | Sentence.Anything
  | void
  | null
  | undefined

/** A handler whose reply is inferred. `Problem` is never, or the compiler's message. */
type Handling<Handler extends Sentence.Handler, Returned, Problem extends string> = [
  Problem
] extends [never]
  ? (request: Parameters<Handler>[0]) => Returned
  : NoInfer<Problem>

/** The options of a handler. */
export interface Options {
  /** Whether the handler runs to its end if the client disconnects. Default: false. */
  readonly uninterruptible?: boolean | undefined
}

/** A handler, with or without options, and any other value. */
type Entry<Handler extends Sentence.Handler> =
  | Sentence.Anything
  | Shape<Handler>
  | { readonly handler: Shape<Handler>; readonly options?: Options | undefined }
  | null
  | undefined

type HandlerIn<Entry> = Entry extends { readonly handler: infer Handler } ? Handler : Entry

type Where<G extends Group, Name extends string> = `${G["identifier"]}.${Name}`

/** What is wrong with an entry of `handleAll`; never if it fits. */
type Wrong<
  G extends Group,
  Middleware extends HttpApiMiddleware.AnyId,
  Done extends string,
  Name,
  Handler
> =
  Name extends Exclude<NameIn<G>, Done>
    ? Sentence.OfHandler<
        Where<G, Name>,
        Declared<EndpointOf<G, Middleware, Name>>,
        HandlerIn<Handler>
      >
    : Sentence.OfName<G["identifier"], NameIn<G>, Done, Name & string>

type AnyWrong<
  G extends Group,
  Middleware extends HttpApiMiddleware.AnyId,
  Done extends string,
  Entries
> = { [Name in keyof Entries]: Wrong<G, Middleware, Done, Name, Entries[Name]> }[keyof Entries]

/**
 * The bound of the argument of `handleAll`. If an entry does not fit, its type in the bound is a
 * sentence, which the compiler prints at the entry.
 */
type Entries<
  G extends Group,
  Middleware extends HttpApiMiddleware.AnyId,
  Done extends string,
  Actual
> = [AnyWrong<G, Middleware, Done, Actual>] extends [never]
  ? {
      readonly [Name in Exclude<NameIn<G>, Done>]?: Entry<Declared<EndpointOf<G, Middleware, Name>>>
    }
  : {
      readonly [Name in keyof Actual]: [Wrong<G, Middleware, Done, Name, Actual[Name]>] extends [
        never
      ]
        ? Actual[Name]
        : Wrong<G, Middleware, Done, Name, Actual[Name]>
    }

/** A name. An editor proposes those of the endpoints, and `Open` refuses any other. */
type AnyName<G extends Group> = NameIn<G> | (string & {})

/** A name, if its endpoint has no handler yet. */
type Open<G extends Group, Done extends string, Name extends string> = [Name] extends [
  Exclude<NameIn<G>, Done>
]
  ? Name
  : IsOne<Name> extends true
    ? Sentence.OfName<G["identifier"], NameIn<G>, Done, Name>
    : Exclude<NameIn<G>, Done>

/** The services that an endpoint and its handler need from plugins and the server. */
type Needs<Endpoint extends AnyEndpoint, Services> =
  | Endpoint["~Middleware"]
  | Endpoint["~MiddlewareServices"]
  | HttpApiEndpoint.ExcludeProvided<Endpoint, HttpApiEndpoint.ServerServices<Endpoint> | Services>

type AllNeeds<G extends Group, Middleware extends HttpApiMiddleware.AnyId, Actual> = {
  [Name in keyof Actual & NameIn<G>]: Needs<
    EndpointOf<G, Middleware, Name>,
    HandlerIn<Actual[Name]> extends (request: never) => infer Returned
      ? Sentence.Services<Returned>
      : never
  >
}[keyof Actual & NameIn<G>]

/** Any handlers. */
export interface Any {
  readonly "~flange/Missing": string
  readonly "~flange/Needs": unknown
}

/**
 * The handlers of a group, and the endpoints that still lack one.
 *
 * - `Middleware`: the middleware that the route adds
 * - `Done`: the endpoints that have a handler
 * - `Requires`: the services of the handlers
 */
export interface Handlers<
  in out G extends Group,
  in out Middleware extends HttpApiMiddleware.AnyId,
  in out Done extends string = never,
  out Requires = never
>
  extends Any, Pipeable {
  readonly "~flange/Missing": Exclude<NameIn<G>, Done>
  readonly "~flange/Needs": Requires

  /** Adds the handler of one endpoint. */
  readonly handle: <
    const Name extends AnyName<G>,
    const Returned extends Reply<Declared<EndpointOf<G, Middleware, Name & NameIn<G>>>>,
    Problem extends string = Sentence.OfReturned<
      Where<G, Name>,
      ReturnType<Declared<EndpointOf<G, Middleware, Name & NameIn<G>>>>,
      Returned
    >
  >(
    name: Open<G, Done, Name>,
    handler: Handling<Declared<EndpointOf<G, Middleware, Name & NameIn<G>>>, Returned, Problem>,
    options?: Options
  ) => Handlers<
    G,
    Middleware,
    Done | Name,
    Needs<EndpointOf<G, Middleware, Name & NameIn<G>>, Sentence.Services<Returned>> | Requires
  >

  /** Adds the handlers of several endpoints, by their names. */
  readonly handleAll: <const Actual extends Entries<G, Middleware, Done, Actual>>(
    handlers: Actual
  ) => Handlers<
    G,
    Middleware,
    Done | (keyof Actual & string),
    AllNeeds<G, Middleware, Actual> | Requires
  >

  /** Adds the handler of one endpoint, which reads the body of the request itself. */
  readonly handleRaw: <
    const Name extends AnyName<G>,
    const Returned extends Reply<DeclaredRaw<EndpointOf<G, Middleware, Name & NameIn<G>>>>,
    Problem extends string = Sentence.OfReturned<
      Where<G, Name>,
      ReturnType<DeclaredRaw<EndpointOf<G, Middleware, Name & NameIn<G>>>>,
      Returned
    >
  >(
    name: Open<G, Done, Name>,
    handler: Handling<DeclaredRaw<EndpointOf<G, Middleware, Name & NameIn<G>>>, Returned, Problem>,
    options?: Options
  ) => Handlers<
    G,
    Middleware,
    Done | Name,
    Needs<EndpointOf<G, Middleware, Name & NameIn<G>>, Sentence.Services<Returned>> | Requires
  >
}

/** The handlers that a build returns, or that the effect which it returns succeeds with. */
export type Built<Return> =
  Return extends Effect.Effect<infer Handlers, infer _E, infer _R> ? Handlers : Return

/** The error with which a build may fail. */
export type BuildError<Return> =
  Return extends Effect.Effect<infer _A, infer E, infer _R> ? E : never

/** The services that a build and its handlers need. */
export type BuildNeeds<Return> =
  | (Built<Return> extends { readonly "~flange/Needs": infer R } ? R : never)
  | (Return extends Effect.Effect<infer _A, infer _E, infer R> ? R : never)
