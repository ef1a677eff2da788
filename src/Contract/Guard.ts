/**
 * Guards: middleware of a contract that decides whether a known caller may go
 * on. A guard brings its implementation along, so it needs no plugin; it adds
 * 401 and 403 to the errors of its endpoints, in OpenAPI and in the client.
 */
import * as Context from "effect/Context"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import type { CurrentIdentity } from "./Authentication.ts"
import { Forbidden, Unauthenticated } from "./Catalogue.ts"

/** The errors that a guard adds to an endpoint. */
export type Errors = readonly [typeof Unauthenticated, typeof Forbidden]

/** What a middleware key says of a guard. It requires the caller that authentication provides. */
export interface Config {
  readonly clientError: never
  readonly error: Errors
  readonly provides: never
  readonly requiredForClient: false
  readonly requires: CurrentIdentity
}

/** The service of a guard that brings its implementation along: no plugin has to provide it. */
export interface Guard {
  readonly "~effect/http-api/HttpApiMiddleware": Config
  readonly "~flange/Guard": "~flange/Guard"
}

/** What a guard does around an endpoint. */
export type Run = HttpApiMiddleware.HttpApiMiddleware<never, Errors, CurrentIdentity>

/** Scopes of which a caller needs all, or any. */
export interface Scopes {
  readonly match: "all" | "any"
  readonly scopes: ReadonlyArray<string>
}

/** The key of a guard or of a policy: `endpoint.middleware(key)`, `group.middleware(key)`. */
export interface Key<Id> extends Context.Service<Id, Run> {
  /** The scopes it asks for, where it is about scopes; OpenAPI lists them. */
  readonly scopes: Scopes | undefined
}

/** The key of a middleware that some plugin has to provide. */
export const declare = <Id>(id: string, scopes?: Scopes): Key<Id> =>
  Object.assign(
    HttpApiMiddleware.Service<Id, { requires: CurrentIdentity }>()(id, {
      error: [Unauthenticated, Forbidden]
    }),
    { scopes }
  ) as unknown as Key<Id> // the parts of the class that its type leaves out are those of `Run`

/** The key of a guard with its implementation. */
export const make = (id: string, run: Run, scopes?: Scopes): Key<Guard> =>
  // A reference is found by its default where no plugin provides it.
  Object.assign(Context.Reference<Run>(id, { defaultValue: () => run }), {
    ...parts(declare<Guard>(id, scopes))
  }) as unknown as Key<Guard>

/** What makes a key one of middleware, beside its being a service. */
const parts = (key: object) =>
  Object.fromEntries(
    ["error", "requiredForClient", "scopes", "~effect/http-api/HttpApiMiddleware"].map((name) => [
      name,
      (key as Readonly<Record<string, unknown>>)[name]
    ])
  )

/** Whether a middleware key brings its implementation along. */
export const isGuard = (key: Context.Key<unknown, unknown>): boolean => Context.isReference(key)

/** The scopes that a middleware key asks for; undefined where it is about none. */
export const scopesOf = (key: object): Scopes | undefined =>
  "scopes" in key ? (key.scopes as Scopes | undefined) : undefined
