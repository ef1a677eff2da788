/**
 * Priorities in contracts. This module has no server code, so a browser can import it.
 */
import * as Context from "effect/Context"

/**
 * How important a request is if the app is overloaded.
 *
 * - `critical`: is admitted before the others
 * - `normal`: the default
 * - `sheddable`: waits behind the others, and is refused first
 */
export type Priority = "critical" | "normal" | "sheddable"

/**
 * The annotation for the priority of an endpoint, or of all endpoints of a group. The nearest one
 * wins. `exempt` takes them out: they are never refused, do not wait and are not counted. The default
 * is `normal`. The annotation has an effect only in an app with `Overload.plugin`.
 *
 * @example
 * ```ts
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import { RoutePriority } from "flange/Overload/Contract"
 *
 * const pay = HttpApiEndpoint.post("pay", "/v1/payments").annotate(RoutePriority, "critical")
 * pay.path // => "/v1/payments"
 * ```
 */
export class RoutePriority extends Context.Service<RoutePriority, "exempt" | Priority>()(
  "flange/Overload/RoutePriority"
) {}
