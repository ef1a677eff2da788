/**
 * The keys that connect routes with the plugin that authenticates their callers. A protected route
 * requires the service of a chain; the Auth battery, or a mock, provides it.
 */
import * as Context from "effect/Context"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import type * as Option from "effect/Option"
import { Unauthenticated } from "./Catalogue.ts"

/** Who is calling. */
export interface Identity {
  /** What else the backend knows about the caller. */
  readonly attributes: Readonly<Record<string, unknown>>
  /** A name for people. */
  readonly displayName: string
  readonly isPrivileged: boolean
  readonly isServiceAccount: boolean
  /** The backend that recognised the caller: `jwt`, `api-key`, ... */
  readonly method: string
  readonly scopes: ReadonlySet<string>
  /** The stable id of the caller. */
  readonly subject: string
}

/**
 * The caller of a protected route. Only protected routes provide it: a handler of another
 * route that reads it does not compile.
 */
export class CurrentIdentity extends Context.Service<CurrentIdentity, Identity>()(
  "flange/CurrentIdentity"
) {}

/**
 * The caller of an optional route; none if the request has no credentials. Only optional
 * routes provide it.
 */
export class OptionalIdentity extends Context.Service<OptionalIdentity, Option.Option<Identity>>()(
  "flange/OptionalIdentity"
) {}

/** The result of authentication. */
export interface Caller {
  /** The chain that authenticated the request. */
  readonly chain: string
  /** The value of `WWW-Authenticate` if this chain refuses a caller. */
  readonly challenge: string
  /** Undefined for a caller without credentials on an optional route. */
  readonly identity: Identity | undefined
}

/**
 * The caller of the request that this fiber serves, for middleware in the slots after
 * `Authentication`; undefined on routes without authentication.
 */
export const CurrentCaller: Context.Reference<Caller | undefined> = Context.Reference<
  Caller | undefined
>("flange/CurrentCaller", { defaultValue: () => undefined })

/** The name of the chain that `Route.protected` uses. */
export type DefaultChain = "default"

/**
 * The service type of a middleware key with this name. Endpoints, groups and clients read the
 * errors and requirements of the key from this type.
 */
export interface Identified<Name extends string, Config> extends Readonly<
  Record<
    keyof HttpApiMiddleware.AnyId,
    Config & { readonly clientError: never; readonly requiredForClient: false }
  >
> {
  readonly key: Name
}

/**
 * The service that authenticates the callers of the routes of one chain. A
 * protected route requires it, so an app in which no plugin defines the chain
 * does not compile.
 */
export interface Authentication<Chain extends string> extends Identified<
  `flange/Authentication/${Chain}`,
  {
    readonly error: typeof Unauthenticated
    readonly provides: CurrentIdentity
    readonly requires: never
  }
> {}

/**
 * The service that authenticates the callers of the optional routes of one chain. It
 * refuses wrong credentials and admits callers without credentials.
 */
export interface OptionalAuthentication<Chain extends string> extends Identified<
  `flange/OptionalAuthentication/${Chain}`,
  {
    readonly error: typeof Unauthenticated
    readonly provides: OptionalIdentity
    readonly requires: never
  }
> {}

const typeId = "~flange/Authentication"

/** The run-time properties of a chain's middleware key. */
export interface ChainKey {
  readonly [typeId]: typeof typeId
  readonly chain: string
  readonly optional: boolean
}

/** The middleware of one chain, as a Context key. */
export type Middleware<Chain extends string> = ChainKey &
  Context.Service<
    Authentication<Chain>,
    HttpApiMiddleware.HttpApiMiddleware<CurrentIdentity, typeof Unauthenticated, never>
  >

/** The middleware of the optional routes of one chain, as a Context key. */
export type OptionalMiddleware<Chain extends string> = ChainKey &
  Context.Service<
    OptionalAuthentication<Chain>,
    HttpApiMiddleware.HttpApiMiddleware<OptionalIdentity, typeof Unauthenticated, never>
  >

/** Returns a middleware key with the properties of a chain's key. */
export const asChain = <Key extends object>(
  key: Key,
  { chain, optional }: Pick<ChainKey, "chain" | "optional">
): ChainKey & Key => Object.assign(key, { [typeId]: typeId, chain, optional } satisfies ChainKey)

const make = (key: string, chain: string, optional: boolean): unknown =>
  asChain(HttpApiMiddleware.Service<never>()(key, { error: Unauthenticated }), { chain, optional })

/** Returns the middleware key of the chain of this name. Equal names have equal keys. */
export const middleware = <const Chain extends string>(chain: Chain): Middleware<Chain> =>
  // The type of a key depends on its name only.
  make(`flange/Authentication/${chain}`, chain, false) as Middleware<Chain>

/**
 * Returns the middleware key of the optional routes of the chain of this name. Equal names
 * have equal keys.
 */
export const optionalMiddleware = <const Chain extends string>(
  chain: Chain
): OptionalMiddleware<Chain> =>
  make(`flange/OptionalAuthentication/${chain}`, chain, true) as OptionalMiddleware<Chain>

/** Returns a middleware key as the key of a chain; undefined for any other middleware. */
export const chainOf = (key: object): ChainKey | undefined =>
  typeId in key ? (key as ChainKey) : undefined

/** The chain that `Route.protected` uses. */
export const Default: Middleware<DefaultChain> = middleware("default")
