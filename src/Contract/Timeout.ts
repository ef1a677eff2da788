/** Time limits in contracts. */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import { GatewayTimeout } from "./Catalogue.ts"

/**
 * The annotation for the longest time of an endpoint, or of each endpoint of a group, until its reply. The
 * endpoint's own comes first, then that of its group, then `timeout.default`. `Duration.infinity` lifts
 * the limit. The annotation has an effect only in an app with `Timeout.plugin`.
 *
 * @example
 * ```ts
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import { Timeout } from "flange/Contract"
 *
 * const report = HttpApiEndpoint.get("report", "/v1/report").annotate(Timeout, "2 minutes")
 * report.path // => "/v1/report"
 * ```
 */
export class Timeout extends Context.Service<Timeout, Duration.Input>()("flange/Timeout") {}

/**
 * The annotation for the longest silence of a streamed reply, of an endpoint or of each endpoint of a
 * group. The default is `timeout.idle`; `Duration.infinity` lifts the limit. The annotation has an effect
 * only in an app with `Timeout.plugin`.
 *
 * @example
 * ```ts
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import { IdleTimeout } from "flange/Contract"
 *
 * const events = HttpApiEndpoint.get("events", "/v1/events").annotate(IdleTimeout, "1 hour")
 * events.path // => "/v1/events"
 * ```
 */
export class IdleTimeout extends Context.Service<IdleTimeout, Duration.Input>()(
  "flange/IdleTimeout"
) {}

/**
 * Contract middleware that declares a time limit: 504 `TIMEOUT` becomes an error of the endpoint, also for
 * the typed client. The app compiles only if one of its plugins limits the time of requests.
 *
 * @example
 * ```ts
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import { TimeLimited } from "flange/Contract"
 *
 * const report = HttpApiEndpoint.get("report", "/v1/report").middleware(TimeLimited)
 * report.middlewares.size // => 1
 * ```
 */
export class TimeLimited extends HttpApiMiddleware.Service<TimeLimited>()("flange/TimeLimited", {
  error: GatewayTimeout
}) {}
