/**
 * Authorization in contracts: guards that require scopes, a service account or
 * privilege, and policies. This module has no server code, so a browser can import it.
 */
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as Guard from "../../Contract/Guard.ts"

export * as Policy from "../../Contract/Policy.ts"

const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]+$/

const scopesGuard = (match: "all" | "any", scopes: ReadonlyArray<string>) => {
  const wrong = scopes.find((scope) => !scopeToken.test(scope))
  if (scopes.length === 0 || wrong !== undefined) {
    throw new Error(
      wrong === undefined
        ? "A guard without scopes would let every caller pass. Name at least one scope."
        : `"${wrong}" is no scope: a scope is printable ASCII without spaces, quotes and backslashes. Give each scope as its own argument.`
    )
  }
  return Guard.make(
    `flange/Guard/scopes/${match}/${[...scopes].sort().join(" ")}`,
    ({ identity }) => {
      const missing = scopes.filter((scope) => !identity.scopes.has(scope))
      const passes = match === "all" ? missing.length === 0 : missing.length < scopes.length
      return passes
        ? undefined
        : {
            reason: `The caller lacks ${match === "all" ? missing.join(" and ") : scopes.join(" or ")}`,
            scope: (match === "all" ? missing : scopes.slice(0, 1)).join(" ")
          }
    },
    { match, scopes }
  )
}

/**
 * Creates a guard that admits callers with all of these scopes. Adds 401 and 403 to the
 * endpoint's errors, and the scopes to OpenAPI. Only behind authentication: in a
 * public route it does not compile. Throws if a text is no scope (RFC 6749,
 * section 3.3).
 *
 * @example
 * ```ts
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import * as Auth from "flange/Auth/Contract"
 *
 * const create = HttpApiEndpoint.post("create", "/v1/orders").middleware(
 *   Auth.requireScopes("orders:write")
 * )
 * create.middlewares.size // => 1
 * ```
 */
export const requireScopes = (
  ...scopes: readonly [string, ...ReadonlyArray<string>]
): Guard.Key<Guard.Guard> => scopesGuard("all", scopes)

/**
 * Creates a guard that admits callers with at least one of these scopes; otherwise like
 * `requireScopes`.
 *
 * @example
 * ```ts
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import * as Auth from "flange/Auth/Contract"
 *
 * const list = HttpApiEndpoint.get("list", "/v1/orders").middleware(
 *   Auth.requireAnyScope("orders:read", "orders:write")
 * )
 * list.middlewares.size // => 1
 * ```
 */
export const requireAnyScope = (
  ...scopes: readonly [string, ...ReadonlyArray<string>]
): Guard.Key<Guard.Guard> => scopesGuard("any", scopes)

const flag = (name: "isPrivileged" | "isServiceAccount", reason: string) =>
  Guard.make(`flange/Guard/${name}`, ({ identity }) => (identity[name] ? undefined : { reason }))

/** Admits service accounts only. Adds 401 and 403 to the endpoint's errors. */
export const serviceAccount: Guard.Key<Guard.Guard> = flag(
  "isServiceAccount",
  "The caller is no service account"
)

/** Admits privileged callers only. Adds 401 and 403 to the endpoint's errors. */
export const privileged: Guard.Key<Guard.Guard> = flag(
  "isPrivileged",
  "The caller is not privileged"
)

/**
 * Marks an endpoint that has no guard on purpose. Middleware of a group applies to the endpoints
 * that were added before it, so an endpoint without a guard behind guarded ones is a problem of
 * the assembly unless it is marked. The mark changes nothing else.
 *
 * @example
 * ```ts
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
 * import * as Auth from "flange/Auth/Contract"
 *
 * const NotesApi = HttpApiGroup.make("notes").add(
 *   HttpApiEndpoint.post("create", "/v1/notes").middleware(Auth.requireScopes("notes:write")),
 *   Auth.unguarded(HttpApiEndpoint.get("list", "/v1/notes"))
 * )
 * NotesApi.endpoints.list.middlewares.size // => 0
 * ```
 */
export const unguarded = <E extends HttpApiEndpoint.Constraint>(endpoint: E): E =>
  // `annotate` returns the type of the endpoint.
  (endpoint as unknown as HttpApiEndpoint.Top).annotate(Guard.Unguarded, true) as unknown as E
