/** The configuration section `health`. */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as Config from "../../Config/index.ts"

/** Shorter intervals would keep the checked components busy with being checked. */
const shortest = Duration.millis(100)

/**
 * Section `health`.
 *
 * | key | default | meaning |
 * |---|---|---|
 * | `details` | `public`, in production `off` | what `/healthcheck` tells: `public` is the app, its host and its components, `off` the status alone |
 * | `interval` | 10 s | how long after a round of checks the next one begins, give or take a tenth; 100 ms at least |
 */
export const HealthConfig = Config.section("health", {
  details: Schema.optionalKey(Schema.Literals(["off", "public"])),
  interval: Config.Duration.check(
    Schema.makeFilter((interval) => Duration.isGreaterThanOrEqualTo(interval, shortest), {
      expected: "a duration of 100 ms at least"
    })
  ).pipe(Config.withDefault("10 seconds"))
})
