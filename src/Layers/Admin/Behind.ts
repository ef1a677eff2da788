/** The admin port behind an authentication chain of the app. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import type { HttpMethod } from "effect/http/HttpMethod"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as Config from "../../Config/index.ts"
import * as Authentication from "../../Contract/Authentication.ts"
import * as Guard from "../../Contract/Guard.ts"
import * as BeforeEffect from "../../Server/Exchange/BeforeEffect.ts"
import type { EndpointInGroup } from "../../Server/Route/ContractMiddleware.ts"
import * as Guarding from "../../Server/Route/Guarding.ts"
import * as Middleware from "../../Server/Route/Middleware.ts"
import { fields, variables } from "./AdminConfig.ts"

/** The section of a port behind a chain, which has no token. */
export const BehindConfig = Config.section("admin", fields, { variables })

/** Returns an endpoint that represents a route of the port, for the middleware of contracts. */
const endpointOf = ({ method, path }: Middleware.RouteInfo): EndpointInGroup => ({
  // A route of a plain router has any method and path, and one that nothing takes has `*`.
  endpoint: HttpApiEndpoint.make(method as HttpMethod)("admin", path as `/${string}`) as never,
  group: HttpApiGroup.make("admin") as never
})

/** Middleware that lets in callers whom the chain authenticates and the guard admits. */
export const make = <const Chain extends string>(
  chain: Chain,
  guard: Guard.Key<Guard.Guard>
): Middleware.Middleware<never, Authentication.Authentication<Chain>> => {
  const decision = Guard.decisionOf(guard)
  if (decision === undefined) {
    throw new Error(
      `Admin.protectedWith("${chain}", ...) needs a guard such as Auth.requireScopes("admin") or Auth.privileged, and ${guard.key} is a policy.`
    )
  }
  return Middleware.make("admin-chain", {
    build: Effect.map(Authentication.middleware(chain), (authenticate) => (route) => {
      const at = endpointOf(route)
      const guarded = BeforeEffect.run(Guarding.make(decision.decide, decision.isOptional)(at))
      return (next) =>
        // The middleware of a contract takes the handler of an endpoint, which is an effect like any other.
        Effect.catch(
          authenticate(guarded(next) as never, at as never) as Middleware.Next,
          (error: unknown) =>
            HttpServerRespondable.toResponse(error as HttpServerRespondable.Respondable)
        )
    }),
    slot: "Custom"
  })
}
