/** Finds endpoints that other callers may call than their group shows. */
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as Authentication from "../../Contract/Authentication.ts"
import * as Guard from "../../Contract/Guard.ts"
import type { AssemblyProblem } from "../../Plugin/Errors.ts"
import type * as Plugin from "../../Plugin/Plugin.ts"
import { named } from "./Claim.ts"
import { type Declared, groupsOf } from "./Declared.ts"
import * as Guards from "./Guards.ts"
import type { Access } from "./Slots.ts"

/** Returns the problems of the route groups, in the order of the plugins. */
export const problems = (plugins: ReadonlyArray<Plugin.Any>): ReadonlyArray<AssemblyProblem> =>
  groupsOf(plugins).flatMap(({ access, endpoints }) =>
    [...authenticated(access, endpoints), ...unguarded(endpoints)].map(
      ({ advice, claim, kind }): AssemblyProblem => ({
        kind,
        message: `${named(claim)} ${advice}`,
        plugins: [claim.plugin]
      })
    )
  )

/** A problem of one endpoint. */
interface Found {
  readonly advice: string
  readonly claim: Declared
  readonly kind: AssemblyProblem["kind"]
}

/** Finds endpoints of open groups whose contract authenticates their callers. */
const authenticated = ({ type }: Access, claims: ReadonlyArray<Declared>): ReadonlyArray<Found> =>
  type === "bare" || type === "public"
    ? claims.flatMap((claim) => {
        const keys = [...claim.endpoint.middlewares]
        const key = keys.map(Authentication.chainOf).find((chain) => chain)
        if (key === undefined) {
          if (!keys.some((own) => Guard.decisionOf(own)?.isOptional === false)) return []
          return [
            {
              advice: `is in a group of Route.${type}, and a guard of its contract needs to know the caller. Write Route.protected, or remove the guard from the contract.`,
              claim,
              kind: "AccessMismatch"
            }
          ]
        }
        const written = key.optional ? "optional" : "protected"
        const instead = key.chain === "default" ? written : `${written}With("${key.chain}")`
        return [
          {
            advice: `is in a group of Route.${type}, and its contract authenticates its callers. Write Route.${instead}, or remove the authentication from the contract.`,
            claim,
            kind: "AccessMismatch"
          }
        ]
      })
    : []

/**
 * Finds endpoints without a guard that follow guarded ones. Middleware of a group applies to the
 * endpoints that were added before it, so a later endpoint may miss a guard by mistake.
 */
const unguarded = (claims: ReadonlyArray<Declared>): ReadonlyArray<Found> => {
  const found: Array<Found> = []
  let guarded: HttpApiEndpoint.Top | undefined
  for (const claim of claims) {
    const { endpoint } = claim
    if (Guards.isGuarded(endpoint)) guarded ??= endpoint
    else if (!Guards.isUnguarded(endpoint)) {
      if (guarded === undefined) break
      found.push({
        advice: `has no guard, and the endpoints before it have one ("${guarded.identifier}" and so on). Middleware of a group applies to the endpoints added before it: move \`.middleware(...)\` behind the last \`.add(...)\`, give the endpoint a guard, or write Auth.unguarded(...) around it.`,
        claim,
        kind: "UnguardedEndpoint"
      })
    }
  }
  return found
}
