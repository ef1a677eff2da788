/** The guards of an endpoint: the middleware that may refuse a caller for who the caller is. */
import * as Context from "effect/Context"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as Authentication from "../../Contract/Authentication.ts"
import * as Guard from "../../Contract/Guard.ts"
import { getStatusErrorSchema } from "../EffectInternals.ts"
import type { Access } from "./Slots.ts"

/** The guards of an endpoint, as data. */
export interface Guards {
  /** The names of its policies and other guards. */
  readonly policies: ReadonlyArray<string>
  /** The scopes of its guards. A caller needs those of each entry. */
  readonly scopes: ReadonlyArray<Guard.Scopes>
}

/** Whether a middleware may refuse a caller for who the caller is. */
export const isGuard = (key: Context.Key<any, unknown>): boolean => {
  // Every key of an endpoint's middleware is its service.
  const service = key as unknown as HttpApiMiddleware.AnyService
  return (
    Authentication.chainOf(key) === undefined &&
    (HttpApiMiddleware.isSecurity(service) ||
      [...service.error].some((schema) => [401, 403].includes(getStatusErrorSchema(schema))))
  )
}

/** Whether an endpoint has a guard. */
export const isGuarded = ({ middlewares }: HttpApiEndpoint.Top): boolean =>
  [...middlewares].some(isGuard)

/** Whether an endpoint is marked with `Auth.unguarded`. */
export const isUnguarded = ({ annotations }: HttpApiEndpoint.Top): boolean =>
  Context.get(annotations as Context.Context<never>, Guard.Unguarded)

/**
 * Returns the guards of an endpoint in a group with this access. A chain that the contract requires
 * and the group does not, such as one in an optional group, is a guard too.
 */
export const of = ({ middlewares }: HttpApiEndpoint.Top, access: Access): Guards => {
  const guards = [...middlewares].filter(isGuard)
  const chains = [...middlewares].flatMap((key) => {
    const chain = Authentication.chainOf(key)
    return chain === undefined || chain.optional || isOf(access, chain.chain) ? [] : [chain.chain]
  })
  return {
    policies: [
      ...chains.map((chain) => (chain === "default" ? "authenticated" : `authenticated:${chain}`)),
      ...guards
        .filter((key) => Guard.decisionOf(key)?.scopes === undefined)
        // The prefix is that of Flange's own keys.
        .map(({ key }) => key.replace(/^flange\/(?:Guard|Policy)\//, ""))
    ].sort(),
    scopes: guards.flatMap((key) => {
      const scopes = Guard.decisionOf(key)?.scopes
      return scopes === undefined ? [] : [scopes]
    })
  }
}

/** Whether a group requires a chain of all its callers. */
const isOf = (access: Access, chain: string): boolean =>
  access.type === "protected" && access.chain === chain
