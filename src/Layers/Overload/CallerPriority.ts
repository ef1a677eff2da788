/** The priority of callers. */
import * as Context from "effect/Context"
import type { Identity } from "../../Contract/Authentication.ts"
import type { Priority } from "./Contract.ts"

/**
 * Returns the priority of a request from its caller and the priority of its route. It is called for
 * each request of a known caller, so it must not wait.
 */
export type PriorityOf = (identity: Identity, route: Priority) => Priority

/**
 * The priority of requests whose caller is known. The default is `critical` for privileged callers and
 * the priority of the route for the others. A plugin that provides this service decides otherwise.
 *
 * @example
 * ```ts
 * import * as Layer from "effect/Layer"
 * import { Plugin } from "flange"
 * import { CallerPriority } from "flange/Overload"
 *
 * const Plans = Plugin.make("shop:plans", {
 *   layer: Layer.succeed(CallerPriority, ({ attributes }, route) =>
 *     attributes["plan"] === "free" ? "sheddable" : route
 *   )
 * })
 * Plans.id // => "shop:plans"
 * ```
 */
export const CallerPriority: Context.Reference<PriorityOf> = Context.Reference<PriorityOf>(
  "flange/Overload/CallerPriority",
  {
    defaultValue:
      () =>
      ({ isPrivileged }, route) =>
        isPrivileged ? "critical" : route
  }
)
