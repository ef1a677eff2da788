/** The configuration section `jobs`. */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as Config from "../../Config/index.ts"

const words = 'a duration from "1 minute" to "3660 days"'

const fields = {
  keep: Schema.Int.check(Schema.isBetween({ maximum: 100_000, minimum: 1 })).pipe(
    Config.expected("a whole number from 1 to 100000"),
    Config.withDefault(100)
  ),
  keepFor: Config.Duration.check(
    Schema.makeFilter(
      (time) =>
        Duration.between(time, { maximum: Duration.days(3660), minimum: Duration.minutes(1) }),
      { expected: words }
    )
  ).pipe(Config.expected(words), Config.withDefault("30 days")),
  runner: Schema.optionalKey(Schema.Literals(["cluster", "local"]))
}

/**
 * Section `jobs`.
 *
 * | key | default | meaning |
 * |---|---|---|
 * | `keep` | 100 | how many runs of each job the history has |
 * | `keepFor` | 30 days | how long the history has a run; the newest run of a job stays |
 * | `runner` | that of the plugin | `local`: each process runs each due time, and the history is in memory; `cluster`: one of the processes that share a database runs it; variable `JOBS_RUNNER` |
 */
export const JobsConfig = Config.section("jobs", fields, {
  variables: { JOBS_RUNNER: "runner" }
})
