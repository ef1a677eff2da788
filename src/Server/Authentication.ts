/**
 * The contract between routes and whatever authenticates their callers. Server
 * knows who may be asked; the Auth battery, or a mock, knows how to answer.
 */
import * as Context from "effect/Context"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import { Unauthenticated } from "./Catalogue.ts"

/** Who is calling. */
export interface Identity {
  /** What the backend knows beside the fields below. */
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
 * The caller of a protected route. Only protected routes provide it: reading it
 * in the handler of another route does not compile.
 */
export class CurrentIdentity extends Context.Service<CurrentIdentity, Identity>()(
  "flange/CurrentIdentity"
) {}

/** The name of the chain that `Route.protected` uses. */
export type DefaultChain = "default"

/**
 * The service that authenticates the callers of the routes of one chain. A
 * protected route requires it, so an app in which no plugin defines the chain
 * does not compile.
 */
export interface Authentication<Chain extends string> {
  readonly "~effect/http-api/HttpApiMiddleware": {
    readonly clientError: never
    readonly error: typeof Unauthenticated
    readonly provides: CurrentIdentity
    readonly requiredForClient: false
    readonly requires: never
  }
  readonly key: `flange/Authentication/${Chain}`
}

/** The middleware of one chain, as a Context key. */
export type Middleware<Chain extends string> = Context.Service<
  Authentication<Chain>,
  HttpApiMiddleware.HttpApiMiddleware<CurrentIdentity, typeof Unauthenticated, never>
> &
  HttpApiMiddleware.AnyService

const chains = new Map<string, unknown>()

/** The middleware of the chain with this name; the same one each time. */
export const middleware = <const Chain extends string>(chain: Chain): Middleware<Chain> => {
  const known = chains.get(chain)
  // Keyed by name: what is stored under a name has that name's type.
  if (known !== undefined) return known as Middleware<Chain>
  const made = HttpApiMiddleware.Service<Authentication<Chain>, { provides: CurrentIdentity }>()(
    `flange/Authentication/${chain}`,
    { error: Unauthenticated }
  ) as unknown as Middleware<Chain>
  chains.set(chain, made)
  return made
}

/** The chain that `Route.protected` uses. */
export const Default: Middleware<DefaultChain> = middleware("default")
