/** The configuration section `timeout`. */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as Config from "../../Config/index.ts"
import { Network } from "../../Config/Network.ts"

const words = 'a duration above zero, such as "30 seconds", or "Infinity"'

const Limit = Config.Duration.check(
  Schema.makeFilter((limit) => Duration.toMillis(limit) > 0, { expected: words })
)

const headerWords = 'the name of a header, such as "x-request-timeout"'

/**
 * Section `timeout`.
 *
 * | key | default | meaning |
 * |---|---|---|
 * | `callers` | none | networks (CIDR) of the callers whose `header` is believed, or `any` |
 * | `default` | 30 s | longest time until the reply; a contract's `Timeout` wins; `Infinity` for none |
 * | `header` | `x-request-timeout` | header in which a caller sends how long it waits, in whole milliseconds |
 * | `idle` | 5 min | longest silence of a streamed reply; a contract's `IdleTimeout` wins; `Infinity` for none |
 */
export const TimeoutConfig = Config.section("timeout", {
  callers: Schema.Union([Schema.Literal("any"), Schema.Array(Network)]).pipe(
    Config.withDefault([])
  ),
  default: Limit.pipe(Config.withDefault("30 seconds")),
  header: Schema.String.check(
    Schema.isPattern(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, { expected: headerWords })
  ).pipe(Config.expected(headerWords), Config.withDefault("x-request-timeout")),
  idle: Limit.pipe(Config.withDefault("5 minutes"))
})
