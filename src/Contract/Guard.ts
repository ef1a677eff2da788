/**
 * Guards: middleware of a contract that decides whether an authenticated caller may continue. A
 * guard is data: its key holds the decision as a pure function, which the server calls. No plugin
 * has to provide it. It adds 401 and 403 to the errors of its endpoints, in OpenAPI and in the
 * client.
 */
import * as Context from "effect/Context"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { CurrentIdentity, Identified, Identity } from "./Authentication.ts"
import { Forbidden, Unauthenticated } from "./Catalogue.ts"

/** The errors that a guard adds to an endpoint. */
export type Errors = readonly [typeof Unauthenticated, typeof Forbidden]

/**
 * The service type of the key of a guard or policy. It requires the caller that authentication
 * provides, or nothing if it also decides about callers without credentials.
 */
export interface Asked<Name extends string, Requires = CurrentIdentity> extends Identified<
  Name,
  { readonly error: Errors; readonly provides: never; readonly requires: Requires }
> {}

/** The service of every guard; the server provides it. */
export interface Guard extends Asked<"flange/Guard"> {}

/**
 * The service of every guard that also decides about callers without credentials; the server
 * provides it.
 */
export interface OptionalGuard extends Asked<"flange/OptionalGuard", never> {}

/** The key of a guard or of a policy: `endpoint.middleware(key)`, `group.middleware(key)`. */
export interface Key<Id, Requires = CurrentIdentity> extends Context.Service<
  Id,
  HttpApiMiddleware.HttpApiMiddleware<never, Errors, Requires>
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
    /** The parameters of the path before they are decoded. */
    readonly params: Readonly<Record<string, string | undefined>>
  }
}

/** The input of a decision about a caller with or without credentials. */
export interface OptionalInput extends Omit<Input, "identity"> {
  /** Undefined for a caller without credentials. */
  readonly identity: Identity | undefined
}

/** Why a caller may not continue. */
export interface Refusal {
  /** The reason for audit and log. The client never receives it. */
  readonly reason: string
  /** The scope that is missing; the challenge of a chain of bearer tokens names it. */
  readonly scope?: string
}

/** Returns why the caller may not continue, or `undefined` to admit it. */
export type Decide<In = Input> = (input: In) => Refusal | undefined

/** Scopes, and whether a caller needs all or any of them. */
export interface Scopes {
  readonly match: "all" | "any"
  readonly scopes: ReadonlyArray<string>
}

const typeId = "~flange/Guard"

/** The part of a guard that its key holds. */
export interface Decision {
  /** Receives callers without credentials only if `isOptional` is set. */
  readonly decide: Decide
  /** Whether the guard also decides about callers without credentials. */
  readonly isOptional: boolean
  /** The scopes that the guard requires, if it requires scopes. OpenAPI lists them. */
  readonly scopes: Scopes | undefined
}

/** Creates the key of a policy that some plugin has to provide. */
export const declare = <Id>(id: string): Key<Id> =>
  HttpApiMiddleware.Service<Id, { requires: CurrentIdentity }>()(id, {
    error: [Unauthenticated, Forbidden]
  })

/** Creates the key of a guard. `decide` must depend on nothing but its input. */
export const make = (id: string, decide: Decide, scopes?: Scopes): Key<Guard> =>
  Object.assign(declare<Guard>(id), {
    [typeId]: { decide, isOptional: false, scopes } satisfies Decision
  })

const optionalTypeId = "~flange/Guard/optional"

/**
 * Creates the key of a policy that some plugin has to provide and that also decides about callers
 * without credentials.
 */
export const declareOptional = <Id>(id: string): Key<Id, never> =>
  Object.assign(HttpApiMiddleware.Service<Id>()(id, { error: [Unauthenticated, Forbidden] }), {
    [optionalTypeId]: true
  })

/** Creates the key of a guard that decides about callers without credentials too. */
export const makeOptional = (
  id: string,
  decide: Decide<OptionalInput>
): Key<OptionalGuard, never> =>
  Object.assign(declareOptional<OptionalGuard>(id), {
    [typeId]: {
      // `isOptional` means that `decide` takes an `OptionalInput`.
      decide: decide as Decide,
      isOptional: true,
      scopes: undefined
    } satisfies Decision
  })

/**
 * Checks whether the key is that of a guard or policy that also decides about callers without
 * credentials.
 */
export const isOptional = (key: object): boolean => optionalTypeId in key

/** Returns the decision of a guard's key; undefined for the key of any other middleware. */
export const decisionOf = (key: object): Decision | undefined =>
  typeId in key ? (key[typeId] as Decision) : undefined

/** The annotation of an endpoint that has no guard on purpose, although others of its group have one. */
export const Unguarded: Context.Reference<boolean> = Context.Reference<boolean>(
  "flange/Unguarded",
  { defaultValue: () => false }
)
