/** Finds endpoints whose replies cannot be cached as their contract says. */
import * as Authentication from "../../../Contract/Authentication.ts"
import * as Guard from "../../../Contract/Guard.ts"
import { Limited } from "../../../Contract/RatePolicy.ts"
import { StandardErrors } from "../../../Contract/StandardErrors.ts"
import type { AssemblyProblem } from "../../../Plugin/Errors.ts"
import type * as PluginCheck from "../../../Plugin/PluginCheck.ts"
import { named } from "../../../Server/Route/Claim.ts"
import * as Declared from "../../../Server/Route/Declared.ts"
import type { Access } from "../../../Server/Route/Middleware.ts"
import * as CachedRoute from "./CachedRoute.ts"
import * as Inputs from "./Inputs.ts"

/** Returns the problems of all cached endpoints. */
export const check: PluginCheck.Check = ({ plugins }) =>
  Declared.groupsOf(plugins).flatMap(({ access, contract, endpoints }) =>
    endpoints.flatMap((claim): ReadonlyArray<AssemblyProblem> => {
      const { endpoint, group, plugin } = claim
      const route = CachedRoute.find({ contract, endpoint, group })
      const advice = route === undefined ? adviceOnMethod(claim) : adviceOn(route, access)
      return advice === undefined
        ? []
        : [{ kind: "UncacheableReply", message: `${named(claim)} ${advice}`, plugins: [plugin] }]
    })
  )

const adviceOnMethod = ({ endpoint, method }: Declared.Declared): string | undefined =>
  CachedRoute.ownPolicy(endpoint) === undefined || CachedRoute.isCacheable(method)
    ? undefined
    : `has ResponseCache, and only replies to GET and HEAD can be cached. Remove the annotation.`

const adviceOn = (
  { endpoint, rules }: CachedRoute.CachedRoute,
  { type }: Access
): string | undefined => {
  const keys: ReadonlyArray<object> = [...endpoint.middlewares]
  const knowsCaller =
    type === "protected" ||
    type === "optional" ||
    keys.some((key) => Authentication.chainOf(key) !== undefined)
  if (type === "bare") {
    return "has ResponseCache in a group of Route.bare, which has no middleware. Write Route.public, or remove the annotation."
  }
  if (rules.sharing === "public" && knowsCaller) {
    return `has ResponseCache.public behind Route.${type}, and would send the reply for one caller to another. Write ResponseCache.perIdentity.`
  }
  if (rules.sharing === "perIdentity" && !knowsCaller) {
    return `has ResponseCache.perIdentity behind Route.${type}, which knows no caller. Write ResponseCache.public, or Route.protected.`
  }
  if (Inputs.declaredHeaders(endpoint) === undefined) {
    return "has ResponseCache, and its contract takes every header, so that each request would have a reply of its own. Name the headers in the contract, or remove the annotation."
  }
  const other = rules.headers.length === 0 ? keys.find((key) => !isKnown(key)) : undefined
  return other === undefined
    ? undefined
    : `has ResponseCache, and the middleware "${nameOf(other)}" of its contract may tell the handler what is not in the key of the reply. Name the headers that it reads with .varyBy(...), or remove the annotation.`
}

const isKnown = (key: object): boolean =>
  key === Limited ||
  key === StandardErrors ||
  Authentication.chainOf(key) !== undefined ||
  Guard.decisionOf(key) !== undefined ||
  Guard.isOptional(key)

const nameOf = (key: object): string => ("key" in key ? String(key.key) : "?")
