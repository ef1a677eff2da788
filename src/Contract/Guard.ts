/**
 * Guards: middleware of a contract that decides whether a known caller may continue. A
 * guard's key holds its implementation, so it needs no plugin. It adds 401 and 403 to the
 * errors of its endpoints, in OpenAPI and in the client.
 */
import * as Context from "effect/Context"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import type { CurrentIdentity } from "./Authentication.ts"
import { Forbidden, Unauthenticated } from "./Catalogue.ts"

/** The errors that a guard adds to an endpoint. */
export type Errors = readonly [typeof Unauthenticated, typeof Forbidden]

/**
 * The type of a guard for `HttpApiMiddleware`. It requires the caller that authentication
 * provides.
 */
export interface Config {
  readonly clientError: never
  readonly error: Errors
  readonly provides: never
  readonly requiredForClient: false
  readonly requires: CurrentIdentity
}

/** The service of a guard whose key holds its implementation: no plugin has to provide it. */
export interface Guard {
  readonly "~effect/http-api/HttpApiMiddleware": Config
  readonly "~flange/Guard": "~flange/Guard"
}

/** The function of a guard around an endpoint. */
export type Run = HttpApiMiddleware.HttpApiMiddleware<never, Errors, CurrentIdentity>

/** Scopes, and whether a caller needs all or any of them. */
export interface Scopes {
  readonly match: "all" | "any"
  readonly scopes: ReadonlyArray<string>
}

/** The key of a guard or of a policy: `endpoint.middleware(key)`, `group.middleware(key)`. */
export interface Key<Id> extends Context.Service<Id, Run> {
  /** The scopes that it requires, for OpenAPI; undefined if it does not check scopes. */
  readonly scopes: Scopes | undefined
}

/** Creates the key of a middleware that a plugin has to provide. */
export const declare = <Id>(id: string, scopes?: Scopes): Key<Id> =>
  Object.assign(
    HttpApiMiddleware.Service<Id, { requires: CurrentIdentity }>()(id, {
      error: [Unauthenticated, Forbidden]
    }),
    { scopes }
  ) as unknown as Key<Id> // the parts of the class that its type leaves out are those of `Run`

/** Creates the key of a guard with its implementation. */
export const make = (id: string, run: Run, scopes?: Scopes): Key<Guard> =>
  // A reference has a default, so no plugin has to provide it.
  Object.assign(Context.Reference<Run>(id, { defaultValue: () => run }), {
    ...parts(declare<Guard>(id, scopes))
  }) as unknown as Key<Guard>

/** Returns the properties that `HttpApiMiddleware` adds to a key. */
const parts = (key: object) =>
  Object.fromEntries(
    ["error", "requiredForClient", "scopes", "~effect/http-api/HttpApiMiddleware"].map((name) => [
      name,
      (key as Readonly<Record<string, unknown>>)[name]
    ])
  )

/** Whether a middleware key holds its implementation. */
export const isGuard = (key: Context.Key<unknown, unknown>): boolean => Context.isReference(key)

/** Returns the scopes that a middleware key requires; undefined if it does not check scopes. */
export const scopesOf = (key: object): Scopes | undefined =>
  "scopes" in key ? (key.scopes as Scopes | undefined) : undefined
