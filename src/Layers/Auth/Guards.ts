/** Guards on what an identity is: scopes, service accounts, privilege. */
import * as Effect from "effect/Effect"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { CurrentCaller, CurrentIdentity, type Identity } from "../../Contract/Authentication.ts"
import { Forbidden } from "../../Contract/Catalogue.ts"
import * as Guard from "../../Contract/Guard.ts"
import * as Before from "../../Server/Exchange/Before.ts"
import * as ContractMiddleware from "../../Server/Route/ContractMiddleware.ts"
import { report, unauthenticated } from "./Admission.ts"
import { quoted } from "./Text.ts"

/** What a guard found: undefined lets the caller pass, a reason does not. */
export type Refusal = { readonly reason: string; readonly scope?: string } | undefined

/** Finds what is against a caller of an endpoint, if anything is. */
export type Decide = (
  identity: Identity,
  contract: ContractMiddleware.Contract,
  request: Before.Incoming
) => Effect.Effect<Refusal>

/**
 * Lets the caller pass when `decide` finds nothing against it; else audits and
 * answers 403 with the fixed text. Without a caller it answers 401: a guard
 * outside of authentication lets nobody pass.
 */
export const run = (decide: Decide): Guard.Run =>
  ContractMiddleware.make((contract) => {
    const route = `${contract.endpoint.method} ${contract.endpoint.path}`
    return (request) => {
      const caller = request.get(CurrentCaller)
      const identity = caller?.identity ?? request.find(CurrentIdentity)
      const chain = caller?.chain ?? "default"
      if (identity === undefined) {
        const reason = "A guard found no caller"
        return Effect.andThen(
          report(request, { chain, outcome: "denied", reason, route }),
          unauthenticated(caller?.challenge ?? "Custom")
        )
      }
      return Effect.flatMapEager(decide(identity, contract, request), (refusal) =>
        refusal === undefined
          ? Before.pass
          : Effect.andThen(
              report(request, {
                chain,
                identity,
                outcome: "denied",
                reason: refusal.reason,
                route
              }),
              forbidden(refusal.scope, caller?.challenge)
            )
      )
    }
  })

const refused = HttpServerRespondable.toResponse(new Forbidden())

/**
 * The reply to a caller that may not do this, with the fixed text of the
 * catalogue. Where bearer tokens are asked for, it names the scope that is
 * missing. Source: RFC 6750, section 3.1.
 */
const forbidden = (scope: string | undefined, challenge: string | undefined) =>
  Effect.map(refused, (response) => {
    const realm = /Bearer realm="(?:[^"\\]|\\.)*"/.exec(challenge ?? "")?.[0]
    return scope === undefined || realm === undefined
      ? response
      : HttpServerResponse.setHeader(
          response,
          "www-authenticate",
          `${realm}, error="insufficient_scope", scope=${quoted(scope)}`
        )
  })

const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]+$/

const fine: Effect.Effect<Refusal> = Effect.succeed(undefined)

const scopesGuard = (match: "all" | "any", scopes: ReadonlyArray<string>) => {
  const wrong = scopes.find((scope) => !scopeToken.test(scope))
  if (scopes.length === 0 || wrong !== undefined) {
    throw new Error(
      wrong === undefined
        ? "A guard without scopes would let every caller pass. Name at least one scope."
        : `"${wrong}" is no scope: a scope is printable ASCII without spaces, quotes and backslashes. Give each scope as its own argument.`
    )
  }
  const guard = run((identity) => {
    const missing = scopes.filter((scope) => !identity.scopes.has(scope))
    const passes = match === "all" ? missing.length === 0 : missing.length < scopes.length
    return passes
      ? fine
      : Effect.succeed({
          reason: `The caller lacks ${match === "all" ? missing.join(" and ") : scopes.join(" or ")}`,
          scope: (match === "all" ? missing : scopes.slice(0, 1)).join(" ")
        })
  })
  return Guard.make(`flange/Guard/scopes/${match}/${[...scopes].sort().join(" ")}`, guard, {
    match,
    scopes
  })
}

/**
 * Lets callers pass that have all of these scopes. Adds 401 and 403 to the
 * endpoint's errors, and the scopes to OpenAPI. Only behind authentication: in a
 * public route it does not compile. Throws where a text is no scope (RFC 6749,
 * section 3.3).
 *
 * @example
 * ```ts
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import * as Auth from "flange/Auth"
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
 * Lets callers pass that have at least one of these scopes; otherwise like
 * `requireScopes`.
 *
 * @example
 * ```ts
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import * as Auth from "flange/Auth"
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
  Guard.make(
    `flange/Guard/${name}`,
    run((identity) => (identity[name] ? fine : Effect.succeed({ reason })))
  )

/** Lets service accounts pass. Adds 401 and 403 to the endpoint's errors. */
export const serviceAccount: Guard.Key<Guard.Guard> = flag(
  "isServiceAccount",
  "The caller is no service account"
)

/** Lets privileged callers pass. Adds 401 and 403 to the endpoint's errors. */
export const privileged: Guard.Key<Guard.Guard> = flag(
  "isPrivileged",
  "The caller is not privileged"
)
