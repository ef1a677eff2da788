/** The configuration section `guessing`. */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as Config from "../../Config/index.ts"

const windowWords = 'a duration above zero, such as "1 minute"'

/**
 * Section `guessing`: how many wrong credentials one client address may send.
 *
 * | key | default | meaning |
 * |---|---|---|
 * | `enabled` | true | if `false`, every credential is checked, however many were wrong |
 * | `limit` | 10 | how many wrong credentials an address may send in `window`; then it is answered with 429 |
 * | `maxAddresses` | 100000 | how many addresses are remembered; above it, those without wrong credentials for the longest time are dropped |
 * | `window` | 1 min | the time in which `limit` wrong credentials are allowed |
 */
export const GuessingConfig = Config.section("guessing", {
  enabled: Schema.Boolean.pipe(Config.withDefault(true)),
  limit: Schema.Int.check(Schema.isGreaterThan(0)).pipe(Config.withDefault(10)),
  maxAddresses: Schema.Int.check(Schema.isGreaterThanOrEqualTo(2)).pipe(
    Config.withDefault(100_000)
  ),
  window: Config.Duration.check(
    Schema.makeFilter((window) => Duration.isFinite(window) && Duration.toMillis(window) > 0, {
      expected: windowWords
    })
  ).pipe(Config.withDefault("1 minute"))
})
