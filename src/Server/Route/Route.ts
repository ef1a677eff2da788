/**
 * Route groups: a contract, its handlers, and who may call them. They belong to the role `server`, unless
 * `Role.assign` gives them to another.
 */
import type * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import type * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import type * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import type { HttpMethod } from "effect/http/HttpMethod"
import type * as HttpRouter from "effect/http/HttpRouter"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Authentication from "../../Contract/Authentication.ts"
import * as Guard from "../../Contract/Guard.ts"
import { StandardErrors } from "../../Contract/StandardErrors.ts"
import * as Contribution from "../../Plugin/Contribution.ts"
import { BareGroup } from "./BareGroup.ts"
import type * as Handlers from "./Handlers.ts"
import { groupRows, type PayloadOfEffect, rawRows, type Row } from "./Rows.ts"
import type * as Sentence from "./Sentence.ts"
import type { Access } from "./Slots.ts"

/** An endpoint of a contract, known before anything is acquired. */
export interface DeclaredEndpoint {
  readonly endpoint: HttpApiEndpoint.Top
  readonly method: string
  readonly path: string
}

/** A route group, as a plugin contributes it. */
export interface Route<
  out E = never,
  out R = never,
  out C extends Contribution.Contract = never
> extends Contribution.Contribution<"route", E, R, C, C["~flange/Middlewares"]> {
  readonly access: Access
  /**
   * The rows that are known before boot; those of a raw group are known after its layer is
   * built.
   */
  readonly declared: ReadonlyArray<DeclaredEndpoint>
  /** The contract with the middleware that the access adds; undefined for a raw group. */
  readonly group: HttpApiGroup.Top | undefined
  readonly rows: (
    payloadOfEffect: PayloadOfEffect
  ) => Effect.Effect<ReadonlyArray<Row>, E, R | Scope.Scope>
}

/** The services of a group's own middleware that plugins provide. */
// Not `HttpApiGroup.Endpoints`: the compiler would compare all methods of a group of the class form.
type Middlewares<G extends HttpApiGroup.Constraint> = Exclude<
  HttpApiEndpoint.Middleware<G["endpoints"][keyof G["endpoints"]]>,
  Guard.Guard | Guard.OptionalGuard | StandardErrors
>

/** A group whose endpoints also have `StandardErrors` and `Middleware`. */
interface GroupWith<
  in out G extends HttpApiGroup.Constraint,
  in out Middleware extends HttpApiMiddleware.AnyId
>
  extends Contribution.Contract {
  readonly "~flange/Added": Middleware | StandardErrors
  readonly "~flange/Group": G
  readonly "~flange/Middlewares": Middleware | Middlewares<G>
}

/** A group without any slot. */
export interface Bare<in out G extends HttpApiGroup.Constraint> extends GroupWith<G, never> {}

/** A group that everybody may call. */
export interface Public<in out G extends HttpApiGroup.Constraint> extends GroupWith<G, never> {}

/** A group behind an authentication chain. */
export interface Protected<
  in out G extends HttpApiGroup.Constraint,
  in out Chain extends string
> extends GroupWith<G, Authentication.Authentication<Chain>> {}

/** A group behind an authentication chain that lets callers without credentials pass. */
export interface Optional<
  in out G extends HttpApiGroup.Constraint,
  in out Chain extends string
> extends GroupWith<G, Authentication.OptionalAuthentication<Chain>> {}

/** The services that the handlers of a group need from plugins, without those of the server. */
type Needs<Return> = Exclude<
  Handlers.BuildNeeds<Return>,
  Guard.Guard | Guard.OptionalGuard | HttpRouter.Provided | StandardErrors
>

type BuildError<Return> = Handlers.BuildError<Return>

/** What is wrong with the implementation of a group; never if it fits. */
type Wrong<G extends Handlers.Group, Return, Refused = never> = unknown extends Return
  ? never // The compiler has not inferred it yet.
  : Handlers.Built<Return> extends infer Built
    ? [Built] extends [Handlers.Any]
      ? [Built["~flange/Missing"]] extends [never]
        ? Refused
        : Sentence.OfMissing<G["identifier"], Built["~flange/Missing"]>
      : Sentence.OfBuild<G["identifier"], Built>
    : never

/** What is wrong with the implementation of a group without authentication. */
type WrongAnonymous<G extends Handlers.Group, Return> = Wrong<
  G,
  Return,
  unknown extends Needs<Return>
    ? never
    : Authentication.CurrentIdentity extends Needs<Return>
      ? `Only protected routes know their caller, and \`${G["identifier"]}\` asks for it: use Route.protected instead`
      : Authentication.OptionalIdentity extends Needs<Return>
        ? `Only optional routes ask who may be calling, and \`${G["identifier"]}\` does: use Route.optional instead`
        : never
>

/** What is wrong with the implementation of a group whose callers may be unknown. */
type WrongOptional<G extends Handlers.Group, Return> = Wrong<
  G,
  Return,
  unknown extends Needs<Return>
    ? never
    : Authentication.CurrentIdentity extends Needs<Return>
      ? `The caller of an optional route may be unknown, and \`${G["identifier"]}\` asks for it: use OptionalIdentity, or Route.protected`
      : never
>

/**
 * Implements a group: returns the handlers, or an effect that first gets services and returns the
 * handlers. `Problem` is never, or the compiler's message.
 */
export type Build<
  G extends Handlers.Group,
  Middleware extends HttpApiMiddleware.AnyId,
  Return,
  Problem extends string
> = [Problem] extends [never]
  ? (handlers: Handlers.Handlers<G, Middleware>) => Return
  : NoInfer<Problem>

const group = <C extends Contribution.Contract, Return>(
  access: Access,
  contract: HttpApiGroup.Top,
  build: unknown
): Route<BuildError<Return>, Needs<Return>, C> => ({
  ...Contribution.make<"route", BuildError<Return>, Needs<Return>, C, C["~flange/Middlewares"]>(
    "route",
    contract.identifier,
    middlewareKeys(contract),
    ["server"]
  ),
  access,
  declared: Object.values(contract.endpoints).map((endpoint) => ({
    endpoint,
    method: endpoint.method,
    path: endpoint.path
  })),
  group: contract,
  // The public constructors below check the handlers against the contract.
  rows: ((payloadOfEffect) =>
    groupRows(contract, build as (handlers: unknown) => unknown, payloadOfEffect)) as Route<
    BuildError<Return>,
    Needs<Return>
  >["rows"]
})

const middlewareKeys = (contract: HttpApiGroup.Top): ReadonlyArray<Context.Key<any, unknown>> =>
  Object.values(contract.endpoints)
    .flatMap((endpoint) => [...endpoint.middlewares])
    .filter((key) => key.key !== StandardErrors.key && Guard.decisionOf(key) === undefined)

/** Adds middleware to the endpoints that do not have it, so that it runs once for a request. */
const middlewares = (
  contract: HttpApiGroup.Constraint,
  ...keys: ReadonlyArray<Context.Key<any, unknown>>
) => {
  // Every group is a `Top`. The constraint has only the members that inference needs.
  const whole = contract as HttpApiGroup.Top
  // `add` replaces an endpoint of the same name.
  return Object.values(whole.endpoints).reduce((group, endpoint) => {
    const present = new Set([...endpoint.middlewares].map(({ key }) => key))
    const added = keys.filter(({ key }) => !present.has(key))
    return group.add(added.reduce((changed, key) => changed.middleware(key), endpoint))
  }, whole)
}

/**
 * Creates a group without slots: no access line, no headers, no limits. For liveness.
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
export const bare = <
  G extends Handlers.Group,
  Return,
  Problem extends string = WrongAnonymous<G, Return>
>(
  contract: G,
  build: Build<G, never, Return, Problem>
): Route<BuildError<Return>, Needs<Return>, Bare<G>> =>
  group({ type: "bare" }, middlewares(contract, StandardErrors).annotate(BareGroup, true), build)

/** Creates a group that everybody may call, with every slot except `Authentication`. */
const public_ = <
  G extends Handlers.Group,
  Return,
  Problem extends string = WrongAnonymous<G, Return>
>(
  contract: G,
  build: Build<G, never, Return, Problem>
): Route<BuildError<Return>, Needs<Return>, Public<G>> =>
  group({ type: "public" }, middlewares(contract, StandardErrors), build)

/**
 * Creates a group whose callers the default chain authenticates. Its handlers may read
 * `CurrentIdentity`; its contract declares 401. An app in which no plugin provides the
 * chain does not compile.
 */
const protected_ = <G extends Handlers.Group, Return, Problem extends string = Wrong<G, Return>>(
  contract: G,
  build: Build<G, Authentication.Authentication<Authentication.DefaultChain>, Return, Problem>
): Route<BuildError<Return>, Needs<Return>, Protected<G, Authentication.DefaultChain>> =>
  protectedWith("default")(contract, build)

export { protected_ as protected, public_ as public }

/** The same as `protected`: a group whose author does not choose is safe. */
export const make: typeof protected_ = protected_

/** Creates a group whose callers the chain of this name authenticates. */
export const protectedWith =
  <const Chain extends string>(chain: Chain) =>
  <G extends Handlers.Group, Return, Problem extends string = Wrong<G, Return>>(
    contract: G,
    build: Build<G, Authentication.Authentication<Chain>, Return, Problem>
  ): Route<BuildError<Return>, Needs<Return>, Protected<G, Chain>> =>
    group(
      { chain, type: "protected" },
      middlewares(contract, StandardErrors, Authentication.middleware(chain)),
      build
    )

/**
 * Creates a group for callers with and without credentials. Its handlers may read
 * `OptionalIdentity`. Wrong credentials are refused with 401. The app compiles only if
 * the chain has `unauthenticated: "anonymous"`.
 */
export const optionalWith =
  <const Chain extends string>(chain: Chain) =>
  <G extends Handlers.Group, Return, Problem extends string = WrongOptional<G, Return>>(
    contract: G,
    build: Build<G, Authentication.OptionalAuthentication<Chain>, Return, Problem>
  ): Route<BuildError<Return>, Needs<Return>, Optional<G, Chain>> =>
    group(
      { chain, type: "optional" },
      middlewares(contract, StandardErrors, Authentication.optionalMiddleware(chain)),
      build
    )

/** Creates a group as `optionalWith` does, with the default chain. */
export const optional = <
  G extends Handlers.Group,
  Return,
  Problem extends string = WrongOptional<G, Return>
>(
  contract: G,
  build: Build<
    G,
    Authentication.OptionalAuthentication<Authentication.DefaultChain>,
    Return,
    Problem
  >
): Route<BuildError<Return>, Needs<Return>, Optional<G, Authentication.DefaultChain>> =>
  optionalWith("default")(contract, build)

/** Who may call a group of plain routes. */
type RawAccess = Access["type"]

/** A group of plain routes behind an authentication chain. It adds nothing to the contract. */
export interface Raw<in out Middleware> extends Contribution.Contract {
  readonly "~flange/Added": never
  readonly "~flange/Group": never
  readonly "~flange/Middlewares": Middleware
}

/** The service that authenticates the callers of a group of plain routes. */
type RawMiddleware<A extends RawAccess, Chain extends string> = A extends "protected"
  ? Authentication.Authentication<Chain>
  : A extends "optional"
    ? Authentication.OptionalAuthentication<Chain>
    : never

/** The services of a layer of routes that plugins must provide. */
type RawNeeds<R, Middleware> = Exclude<
  R extends HttpRouter.Request<string, unknown>
    ? R extends HttpRouter.Request<"GlobalRequires" | "Requires", infer T>
      ? T
      : never
    : R,
  | ([Middleware] extends [never] ? never : HttpApiMiddleware.Provides<Middleware>)
  | HttpRouter.HttpRouter
  | HttpRouter.Provided
>

/**
 * Creates a group of plain `HttpRouter` routes, for what `HttpApi` cannot express. Global
 * middleware of the layer applies to this group only.
 *
 * `access` is that of the group: `protected` and `optional` authenticate its callers with
 * `chain`, by default the default chain, and its handlers may read `CurrentIdentity` or
 * `OptionalIdentity`. An app in which no plugin provides the chain does not compile.
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
export const raw = <
  E,
  R,
  const A extends RawAccess,
  const Chain extends string = Authentication.DefaultChain
>(
  name: string,
  layer: Layer.Layer<never, E, R>,
  options: {
    /** Who may call the routes: `bare`, `public`, `optional` or `protected`. */
    readonly access: A
    /** The chain of a `protected` or `optional` group. */
    readonly chain?: A extends "optional" | "protected" ? Chain : never
  }
): Route<
  E,
  RawMiddleware<A, Chain> | RawNeeds<R, RawMiddleware<A, Chain>>,
  [RawMiddleware<A, Chain>] extends [never] ? never : Raw<RawMiddleware<A, Chain>>
> => {
  const access = rawAccess(options.access, options.chain ?? "default")
  const authentication = chainKeys(access)
  return {
    ...Contribution.make("route", name, authentication, ["server"]),
    access,
    declared: [],
    group: undefined,
    // The router that is provided here takes the rest of `R` away.
    rows: () => rawRows(name, layer as Layer.Layer<never, E, HttpRouter.HttpRouter>, authentication)
    // The phantom members are those of the signature.
  } as never
}

const rawAccess = (type: RawAccess, chain: string): Access =>
  type === "optional" || type === "protected" ? { chain, type } : { type }

const chainKeys = (access: Access): ReadonlyArray<Context.Key<any, unknown>> => {
  if (!("chain" in access)) return []
  return access.type === "optional"
    ? [Authentication.optionalMiddleware(access.chain)]
    : [Authentication.middleware(access.chain)]
}

/**
 * Returns the constructor of endpoints with any method, such as `PURGE`. The listener's
 * parser must know the method: `http.METHODS` in Node.
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
): contribution is Route<unknown, unknown, Contribution.Contract> => contribution.kind === "route"
