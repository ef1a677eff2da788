/** Finds endpoints whose requests cannot be repeated with a key as their contract says. */
import { chainOf } from "../../Contract/Authentication.ts"
import type { AssemblyProblem } from "../../Plugin/Errors.ts"
import type * as PluginCheck from "../../Plugin/PluginCheck.ts"
import * as Annotation from "../../Server/Route/Annotation.ts"
import { named } from "../../Server/Route/Claim.ts"
import * as Declared from "../../Server/Route/Declared.ts"
import { type Access, isMiddleware, type RouteInfo } from "../../Server/Route/Middleware.ts"
import { obstacle } from "../../Server/Route/Obstacle.ts"
import { Idempotent } from "./Contract.ts"
import * as IdempotentRoute from "./IdempotentRoute.ts"

/** Creates the check of an app. `isTransactional`: keys are kept in the transaction of the handler. */
export const make =
  (isTransactional: boolean): PluginCheck.Check =>
  ({ plugins }) => {
    const middlewares = plugins.flatMap(({ manifest }) =>
      manifest.contributions.filter(isMiddleware)
    )
    const isWritten = (route: RouteInfo) =>
      middlewares.some(({ describe }) => describe?.(route)?.transaction === "read-write")
    return Declared.groupsOf(plugins).flatMap(({ access, contract, endpoints }) =>
      endpoints.flatMap((claim): ReadonlyArray<AssemblyProblem> => {
        const { endpoint, plugin } = claim
        const advice =
          IdempotentRoute.find({ contract, endpoint }) === undefined
            ? adviceOnMethod(claim)
            : (adviceOnCaller(claim, access) ??
              adviceOnBody(claim) ??
              (isTransactional && !isWritten({ ...claim, access, contract })
                ? noTransaction
                : undefined))
        return advice === undefined
          ? []
          : [{ kind: "UnkeyedEndpoint", message: `${named(claim)} ${advice}`, plugins: [plugin] }]
      })
    )
  }

const adviceOnMethod = ({ endpoint, method }: Declared.Declared): string | undefined =>
  IdempotentRoute.changes(method) || (Annotation.nearest(Idempotent, endpoint) ?? false) === false
    ? undefined
    : "has Idempotent, and its requests can be repeated anyway: only POST, PUT, PATCH and DELETE have keys. Remove the annotation."

const adviceOnCaller = ({ endpoint }: Declared.Declared, { type }: Access): string | undefined => {
  const keys: ReadonlyArray<object> = [...endpoint.middlewares]
  const knowsCaller =
    type !== "bare" &&
    (type === "protected" || keys.some((key) => chainOf(key)?.optional === false))
  return knowsCaller
    ? undefined
    : `has Idempotent behind Route.${type}, which may not know the caller: two callers with one key would get each other's replies. Write Route.protected, or remove the annotation.`
}

const adviceOnBody = ({ endpoint }: Declared.Declared): string | undefined => {
  const why = obstacle(endpoint)
  return (
    why &&
    `has Idempotent, and ${why}: neither its request nor its reply is a whole value that can be compared and kept. Remove the annotation.`
  )
}

const noTransaction =
  "has Idempotent, and does not run in a read-write transaction, so that Idempotency.withDatabase cannot commit its key together with its writes. Annotate it with Database.Transactional, or list Database.transactional()."
