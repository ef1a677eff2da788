/** The configuration section `app`: the name of an app, its version, and its time limits. */
import * as Schema from "effect/Schema"
import * as Config from "../Config/index.ts"

/**
 * Section `app`.
 *
 * | key | default | meaning |
 * |---|---|---|
 * | `buildDate` | none | ISO time of the build, reported by `/healthcheck` |
 * | `commit` | none | source revision, reported by `/healthcheck` |
 * | `drainDelay` | 0 s | the time for which the app still accepts requests after readiness turned 503 |
 * | `drainTimeout` | 20 s | the longest time for requests in flight and workers to end |
 * | `name` | the app's id | the name it reports |
 * | `releaseTimeout` | 10 s | the longest time for one plugin to release what it acquired, or to end a phase when the app stops |
 * | `replicas` | none | how many instances of this app serve at the same time, each with `server.workers` processes. Plugins warn if what they keep in memory would have to be shared; variable `APP_REPLICAS` |
 * | `role` | `all` | which contributions this process carries out: those of `server`, `worker` or `scheduler`, or `all`; variable `FLANGE_ROLE` |
 * | `startTimeout` | 30 s | the longest time for each of acquire, bind and ready of one plugin |
 * | `version` | `0.0.0` | the version it reports |
 */
export const AppConfig = Config.section(
  "app",
  {
    buildDate: Schema.optionalKey(Schema.String),
    commit: Schema.optionalKey(Schema.String),
    drainDelay: Config.Duration.pipe(Config.withDefault("0 seconds")),
    drainTimeout: Config.Duration.pipe(Config.withDefault("20 seconds")),
    name: Schema.optionalKey(Schema.String),
    releaseTimeout: Config.Duration.pipe(Config.withDefault("10 seconds")),
    replicas: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(0))),
    role: Schema.Literals(["all", "scheduler", "server", "worker"]).pipe(Config.withDefault("all")),
    startTimeout: Config.Duration.pipe(Config.withDefault("30 seconds")),
    version: Schema.String.pipe(Config.withDefault("0.0.0"))
  },
  {
    variables: {
      APP_REPLICAS: "replicas",
      APP_VERSION: "version",
      BUILD_DATE: "buildDate",
      FLANGE_ROLE: "role",
      GIT_COMMIT: "commit"
    }
  }
)
