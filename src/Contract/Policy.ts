/**
 * Policies: rules on the caller, the action, the resource and the request, as middleware of
 * endpoints and groups. A policy that needs services is declared here and implemented with
 * `Policy.implement` of `flange/Auth`.
 */
import type { Identity } from "./Authentication.ts"
import * as Guard from "./Guard.ts"

/** The caller may continue. */
export interface Allow {
  readonly _tag: "Allow"
}

/** The caller may not continue. The reason is for audit and log; the client never receives it. */
export interface Deny {
  readonly _tag: "Deny"
  readonly reason: string
}

/** What a policy decides. */
export type Decision = Allow | Deny

/** The caller may continue. */
export const allow: Allow = { _tag: "Allow" }

/**
 * Creates the decision that the caller may not continue, for this reason. Control characters are
 * removed and the reason is cut to 512 bytes.
 *
 * @example
 * ```ts
 * import { Policy } from "flange/Auth/Contract"
 *
 * Policy.deny("another tenant")._tag // => "Deny"
 * ```
 */
export const deny = (reason: string): Deny => ({ _tag: "Deny", reason })

/** A policy that some plugin implements. */
export interface Declared<Name extends string> extends Guard.Asked<`flange/Policy/${Name}`> {}

/** A policy that some plugin implements and that also decides about callers without credentials. */
export interface DeclaredOptional<Name extends string> extends Guard.Asked<
  `flange/Policy/${Name}`,
  never
> {}

/** Returns why a decision refuses the caller; undefined if it does not. */
export const refusalOf = (decision: Decision): Guard.Refusal | undefined =>
  decision._tag === "Allow" ? undefined : { reason: decision.reason }

/**
 * Creates a policy that needs nothing but its input. Add it to endpoints or groups with
 * `.middleware`; it adds 401 and 403 to their errors. Policies with the same name are the same
 * policy. If `rule` throws, the reply is 500 and the handler does not run. If a rule has to wait or
 * needs services, use `Policy.declare` in the contract and `Policy.implement` in a plugin.
 *
 * @example
 * ```ts
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import { Policy } from "flange/Auth/Contract"
 *
 * const SameTenant = Policy.make("same-tenant", ({ identity, resource }) =>
 *   resource.params["tenant"] === identity.attributes["tenant"]
 *     ? Policy.allow
 *     : Policy.deny("another tenant")
 * )
 * const read = HttpApiEndpoint.get("read", "/v1/:tenant/orders").middleware(SameTenant)
 * read.middlewares.size // => 1
 * ```
 */
export const make = (
  name: string,
  rule: (input: Guard.Input) => Decision
): Guard.Key<Guard.Guard> => Guard.make(`flange/Policy/${name}`, (input) => refusalOf(rule(input)))

/**
 * Creates a policy about callers with and without credentials. The `identity` of its input is
 * undefined for a caller that was not authenticated, and on public routes for every caller. Add it
 * to endpoints of all routes except `bare` ones. A refused caller is answered with 403, or with 401
 * if authentication could help. Otherwise the policy is like that of `make`.
 *
 * @example
 * ```ts
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import { Policy } from "flange/Auth/Contract"
 *
 * const Readable = Policy.optional("readable", ({ action, identity }) =>
 *   identity !== undefined || action === "read" ? Policy.allow : Policy.deny("unknown caller")
 * )
 * const read = HttpApiEndpoint.get("read", "/v1/posts").middleware(Readable)
 * read.middlewares.size // => 1
 * ```
 */
export const optional = (
  name: string,
  rule: (input: Guard.OptionalInput) => Decision
): Guard.Key<Guard.OptionalGuard, never> =>
  Guard.makeOptional(`flange/Policy/${name}`, (input) => refusalOf(rule(input)))

/**
 * Creates the key of a policy about callers with and without credentials, whose rule needs
 * services.
 *
 * @example
 * ```ts
 * import { Policy } from "flange/Auth/Contract"
 *
 * Policy.declareOptional("open-post").key // => "flange/Policy/open-post"
 * ```
 */
export const declareOptional = <const Name extends string>(
  name: Name
): Guard.Key<DeclaredOptional<Name>, never> => Guard.declareOptional(`flange/Policy/${name}`)

/**
 * Creates the key of a policy whose rule needs services. The contract has the key. The app compiles
 * only if a plugin provides the layer that `Policy.implement` of `flange/Auth` creates.
 *
 * @example
 * ```ts
 * import { Policy } from "flange/Auth/Contract"
 *
 * Policy.declare("own-order").key // => "flange/Policy/own-order"
 * ```
 */
export const declare = <const Name extends string>(name: Name): Guard.Key<Declared<Name>> =>
  Guard.declare(`flange/Policy/${name}`)

/**
 * Creates a policy of roles: a caller may do an action if one of its roles lists it. `*` in a list
 * means every action.
 *
 * @example
 * ```ts
 * import { Policy } from "flange/Auth/Contract"
 *
 * const Staff = Policy.roles("staff", {
 *   permissions: { clerk: ["list", "read"], manager: ["*"] },
 *   rolesOf: (identity) => identity.scopes
 * })
 * Staff.key // => "flange/Policy/staff"
 * ```
 */
export const roles = (
  name: string,
  options: {
    /** The actions of each role: identifiers of endpoints. */
    readonly permissions: Readonly<Record<string, ReadonlyArray<string>>>
    /** The roles of a caller; unknown ones have no permissions. */
    readonly rolesOf: (identity: Identity) => Iterable<string>
  }
): Guard.Key<Guard.Guard> => {
  const permissions = new Map(Object.entries(options.permissions))
  return make(name, ({ action, identity }) => {
    for (const role of options.rolesOf(identity)) {
      const actions = permissions.get(role)
      if (actions?.includes(action) || actions?.includes("*")) return allow
    }
    return deny(`No role of the caller may do ${action}`)
  })
}
