/** The battery as a plugin. */
import * as Plugin from "../../Plugin/Plugin.ts"
import * as Admission from "./Admission.ts"
import { Guarded } from "./Guarded.ts"
import { annotate } from "./OpenApiOverload.ts"
import { OverloadConfig } from "./OverloadConfig.ts"
import * as Resources from "./Resources.ts"

/**
 * Keeps an app fast if more requests come than it can serve: it refuses some at once with 503
 * `OVERLOADED` and `Retry-After`, and serves the others as if it had no more.
 *
 * The limit of requests in flight follows the latency of the routes. Above it requests wait; a request
 * that waits too long is refused. Handlers that compute give way to arriving requests every millisecond.
 * Bare routes, those of Health, Metrics and Admin, and endpoints with `RoutePriority` `exempt` are always
 * served.
 *
 * - config: section `overload`
 * - health: `process`, critical: the heap and the open handles
 * - metrics: `flange.overload.limit`, `flange.overload.in_flight`, `flange.overload.queued`, and
 *   `flange.overload.refused_requests` by route and reason
 * - log: a warning once a minute while requests are refused
 *
 * @example
 * ```ts
 * import { App } from "flange"
 * import * as Overload from "flange/Overload"
 *
 * const app = App.make("shop", [Overload.plugin])
 * App.describe(app).plugins[0]!.config // => ["overload"]
 * ```
 */
export const plugin = Plugin.make("flange:overload", {
  annotate,
  config: [OverloadConfig],
  health: { process: Resources.check },
  layer: Guarded.layer,
  middleware: [Admission.early, Admission.admission, Admission.end],
  provides: [Guarded]
})
