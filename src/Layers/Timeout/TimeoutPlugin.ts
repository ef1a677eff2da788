/** The plugin that limits the time of requests. */
import * as Layer from "effect/Layer"
import { TimeLimited } from "../../Contract/Timeout.ts"
import * as Plugin from "../../Plugin/Plugin.ts"
import * as PluginCheck from "../../Plugin/PluginCheck.ts"
import * as ContractMiddleware from "../../Server/Route/ContractMiddleware.ts"
import { callerDeadline } from "./CallerDeadline.ts"
import * as Limits from "./Limits.ts"
import { annotate } from "./OpenApiTimeouts.ts"
import { TimeoutConfig } from "./TimeoutConfig.ts"

/**
 * Limits how long a request may take: `timeout.default`, or the `Timeout` of its contract. Time in which
 * the client sends its body does not count. Bare routes have no limit.
 *
 * At the limit the handler and everything that it waits for is interrupted: its transaction is rolled
 * back, and its statement and its outgoing calls are cancelled. The reply is 504 `TIMEOUT`. Reply and log
 * contain what the request was doing, and its time for each thing that it waited for. A handler that does
 * not stop within 250 ms is left running; its request is answered, and its scope closes when it ends.
 *
 * A streamed reply has no limit on its whole time. It is ended if it sends nothing for `timeout.idle`, or
 * the `IdleTimeout` of its contract. An upgraded connection has no limit.
 *
 * A caller in `timeout.callers` can shorten the time with the header `timeout.header`. What a handler
 * calls reads the time that is left with `Deadline.remaining`.
 *
 * @example
 * ```ts
 * import { App } from "flange"
 * import * as Timeout from "flange/Timeout"
 *
 * const app = App.make("shop", [Timeout.plugin], {
 *   config: { values: { timeout: { callers: ["10.0.0.0/8"], default: "10 seconds" } } }
 * })
 * App.describe(app).plugins[0]!.config // => ["timeout"]
 * ```
 */
export const plugin = Plugin.make("flange:timeout", {
  annotate,
  config: [TimeoutConfig],
  contributes: [PluginCheck.kind.make("time-limits", Limits.check)],
  layer: Layer.succeed(TimeLimited, ContractMiddleware.errorsOnly),
  middleware: [Limits.limits, callerDeadline],
  provides: [TimeLimited]
})
