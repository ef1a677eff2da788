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
 * | `drainDelay` | 0 s | how long the app goes on accepting after readiness turned 503 |
 * | `drainTimeout` | 20 s | how long requests in flight and workers may still take |
 * | `name` | the app's id | the name it reports |
 * | `startTimeout` | 30 s | how long one plugin may take to be acquired or made ready |
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
    startTimeout: Config.Duration.pipe(Config.withDefault("30 seconds")),
    version: Schema.String.pipe(Config.withDefault("0.0.0"))
  },
  { variables: { APP_VERSION: "version", BUILD_DATE: "buildDate", GIT_COMMIT: "commit" } }
)
