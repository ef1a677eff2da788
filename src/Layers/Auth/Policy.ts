/**
 * Policies: rules on the caller, the action, the resource and the request, as
 * middleware of endpoints and groups.
 */
import * as Effect from "effect/Effect"
import { RouteContext } from "effect/http/HttpRouter"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Layer from "effect/Layer"
import type { Identity } from "../../Contract/Authentication.ts"
import * as Guard from "../../Contract/Guard.ts"
import { type Decide, run } from "./Guards.ts"

/** The caller may go on. */
export interface Allow {
  readonly _tag: "Allow"
}

/** The caller may not; the reason goes to audit and log, never to the client. */
export interface Deny {
  readonly _tag: "Deny"
  readonly reason: string
}

/** What a policy says. */
export type Decision = Allow | Deny

/** The caller may go on. */
export const allow: Allow = { _tag: "Allow" }

/**
 * The caller may not go on, because of this. Control characters are removed and
 * the reason is cut to 512 bytes.
 *
 * @example
 * ```ts
 * import { Policy } from "flange/Auth"
 *
 * Policy.deny("another tenant")._tag // => "Deny"
 * ```
 */
export const deny = (reason: string): Deny => ({ _tag: "Deny", reason })

/** What a policy decides on. */
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

/** A policy that some plugin implements. */
export interface Declared<Name extends string> {
  readonly "~effect/http-api/HttpApiMiddleware": Guard.Config
  readonly key: `flange/Policy/${Name}`
}

const decide =
  <R>(rule: (input: Input) => Decision | Effect.Effect<Decision, never, R>) =>
  (...[identity, { endpoint, group }, request]: Parameters<Decide>) =>
    Effect.suspend(() => {
      const decision = rule({
        action: endpoint.identifier,
        identity,
        request: request.request,
        resource: {
          group: group.identifier,
          params: request.find(RouteContext)?.params ?? {}
        }
      })
      return Effect.map(
        Effect.isEffect(decision) ? decision : Effect.succeed(decision),
        (decision) => (decision._tag === "Allow" ? undefined : { reason: decision.reason })
      )
    })

/**
 * Makes a policy that needs nothing but its input. It adds 401 and 403 to the
 * errors of its endpoints and goes on endpoints and groups. Policies of one name
 * are one policy. What `rule` throws is a defect: the reply is 500 and the
 * handler does not run.
 *
 * @example
 * ```ts
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import { Policy } from "flange/Auth"
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
  rule: (input: Input) => Decision | Effect.Effect<Decision>
): Guard.Key<Guard.Guard> => Guard.make(`flange/Policy/${name}`, run(decide(rule)))

/**
 * Declares a policy whose rule needs services. It stands in the contract; some
 * plugin provides the layer that `Policy.implement` makes, or the app does not
 * compile.
 *
 * @example
 * ```ts
 * import { Policy } from "flange/Auth"
 *
 * Policy.declare("own-order").key // => "flange/Policy/own-order"
 * ```
 */
export const declare = <const Name extends string>(name: Name): Guard.Key<Declared<Name>> =>
  Guard.declare(`flange/Policy/${name}`)

/**
 * Implements a declared policy: a layer for a plugin that lists the policy in
 * `provides`. The services of the rule are taken when the layer is built.
 *
 * @example
 * ```ts
 * import * as Context from "effect/Context"
 * import * as Effect from "effect/Effect"
 * import { Plugin } from "flange"
 * import { Policy } from "flange/Auth"
 *
 * class Owners extends Context.Service<
 *   Owners,
 *   { readonly ownerOf: (id: string) => Effect.Effect<string> }
 * >()("app/Owners") {}
 *
 * const OwnOrder = Policy.declare("own-order")
 *
 * const OwnOrderPlugin = Plugin.make("app:own-order", {
 *   layer: Policy.implement(OwnOrder, ({ identity, resource }) =>
 *     Effect.gen(function* () {
 *       const owners = yield* Owners
 *       const owner = yield* owners.ownerOf(resource.params["orderId"] ?? "")
 *       return owner === identity.subject ? Policy.allow : Policy.deny("not the owner")
 *     })
 *   ),
 *   provides: [OwnOrder],
 *   requires: [Owners]
 * })
 * OwnOrderPlugin.id // => "app:own-order"
 * ```
 */
export const implement = <Name extends string, R = never>(
  policy: Guard.Key<Declared<Name>>,
  rule: (input: Input) => Decision | Effect.Effect<Decision, never, R>
): Layer.Layer<Declared<Name>, never, R> =>
  Layer.effect(
    policy,
    Effect.map(Effect.context<R>(), (context): Guard.Run =>
      run((...asked) => Effect.provideContext(decide(rule)(...asked), context))
    )
  )

/**
 * Makes a policy of roles: a caller may do an action if one of its roles lists
 * it. `*` in a list stands for every action.
 *
 * @example
 * ```ts
 * import { Policy } from "flange/Auth"
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
