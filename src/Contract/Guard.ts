/**
 * Guards: middleware of a contract that decides whether a known caller may go on.
 * A guard is data: its key holds the decision as a pure function, which the server
 * asks, so no plugin provides it. It adds 401 and 403 to the errors of its
 * endpoints, in OpenAPI and in the client.
 */
import type * as Context from "effect/Context"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { CurrentIdentity, Identified, Identity } from "./Authentication.ts"
import { Forbidden, Unauthenticated } from "./Catalogue.ts"

/** The errors that a guard adds to an endpoint. */
export type Errors = readonly [typeof Unauthenticated, typeof Forbidden]

/** The service of a key with this name. It requires the caller that authentication provides. */
export interface Asked<Name extends string> extends Identified<
  Name,
  { readonly error: Errors; readonly provides: never; readonly requires: CurrentIdentity }
> {}

/** The service of every guard; the server provides it. */
export interface Guard extends Asked<"flange/Guard"> {}

/** The key of a guard or of a policy: `endpoint.middleware(key)`, `group.middleware(key)`. */
export interface Key<Id> extends Context.Service<
  Id,
  HttpApiMiddleware.HttpApiMiddleware<never, Errors, CurrentIdentity>
> {}

/** The caller, the endpoint and the request that a decision is about. */
export interface Input {
  /** The endpoint's identifier: `create`, `list`, ... */
  readonly action: string
  readonly identity: Identity
  readonly request: HttpServerRequest
  readonly resource: {
    /** The group's identifier: `orders`, ... */
    readonly group: string
    /** The path's parameters as they came, before they are decoded. */
    readonly params: Readonly<Record<string, string | undefined>>
  }
}

/** Why a caller may not go on. */
export interface Refusal {
  /** Goes to audit and log, never to the client. */
  readonly reason: string
  /** The scope that is missing; the challenge of a chain of bearer tokens names it. */
  readonly scope?: string
}

/** Returns why the caller may not go on, or `undefined` to let it pass. */
export type Decide = (input: Input) => Refusal | undefined

/** Scopes, and whether a caller needs all or any of them. */
export interface Scopes {
  readonly match: "all" | "any"
  readonly scopes: ReadonlyArray<string>
}

const typeId = "~flange/Guard"

/** The part of a guard that its key holds. */
export interface Decision {
  readonly decide: Decide
  /** The scopes that it asks for, if it asks for scopes; OpenAPI lists them. */
  readonly scopes: Scopes | undefined
}

/** Creates the key of a policy that some plugin has to provide. */
export const declare = <Id>(id: string): Key<Id> =>
  HttpApiMiddleware.Service<Id, { requires: CurrentIdentity }>()(id, {
    error: [Unauthenticated, Forbidden]
  })

/** Creates the key of a guard. `decide` must depend on nothing but its input. */
export const make = (id: string, decide: Decide, scopes?: Scopes): Key<Guard> =>
  Object.assign(declare<Guard>(id), { [typeId]: { decide, scopes } satisfies Decision })

/** Returns the decision of a guard's key; undefined for the key of any other middleware. */
export const decisionOf = (key: object): Decision | undefined =>
  typeId in key ? (key[typeId] as Decision) : undefined
