/** Finds the priority of a route. */
import { Overloaded } from "../../Contract/Catalogue.ts"
import * as Annotation from "../../Server/Route/Annotation.ts"
import type { Describe, RouteInfo } from "../../Server/Route/Middleware.ts"
import { type Priority, RoutePriority } from "./Contract.ts"

/** The plugins whose routes tell operators how the app is: they must answer most of all now. */
const probing: ReadonlySet<string> = new Set(["flange:admin", "flange:health", "flange:metrics"])

/** Returns the annotation of an endpoint, or else that of its group; `normal` if there is none. */
export const declared = (
  endpoint: Annotation.Annotated,
  group: Annotation.Annotated
): "exempt" | Priority => Annotation.nearest(RoutePriority, endpoint, group) ?? "normal"

/** Returns the priority of a route; undefined if the route is exempt. */
export const find = ({ access, contract, endpoint, path, plugin }: RouteInfo) => {
  // An unknown path costs as little as a refusal.
  if (access.type === "bare" || path === "*" || probing.has(plugin)) return undefined
  const priority = declared(endpoint, contract)
  return priority === "exempt" ? undefined : priority
}

/** Describes a route that may refuse requests. */
export const describe: Describe = (route) =>
  find(route) === undefined ? undefined : { errors: [Overloaded] }
