/** The configuration section `health`. */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as Config from "../../Config/index.ts"

/** Shorter intervals would keep the checked components busy with being checked. */
const shortest = Duration.millis(100)

/** The paths of the contracts. */
export const defaultPaths = {
  healthcheckPath: "/healthcheck",
  healthzPath: "/healthz",
  livezPath: "/livez",
  readyzPath: "/readyz"
} as const

const pathKeys = ["healthcheckPath", "healthzPath", "livezPath", "readyzPath"] as const

const Path = (fallback: string) =>
  Schema.String.check(
    Schema.isPattern(/^\/[A-Za-z0-9._~/-]*[A-Za-z0-9._~-]$/, {
      expected: "a path that begins with / and does not end with it"
    })
  ).pipe(Config.withDefault(fallback))

/**
 * Section `health`.
 *
 * | key | default | meaning |
 * |---|---|---|
 * | `details` | `public`, in production `off` | what `/healthcheck` tells: `public` is the app, its host and its components, `off` the status alone |
 * | `healthcheckPath` | `/healthcheck` | where the report is |
 * | `healthzPath` | `/healthz` | the other path of liveness |
 * | `interval` | 10 s | how long after a round of checks the next one begins, give or take a tenth; 100 ms at least |
 * | `livezPath` | `/livez` | where an orchestrator asks whether the process answers |
 * | `readyzPath` | `/readyz` | where a load balancer asks whether the service takes requests |
 *
 * A path that is moved answers 404 at its default. OpenAPI and typed clients have the defaults,
 * because contracts exist before the configuration is read.
 */
export const HealthConfig = Config.section(
  "health",
  {
    details: Schema.optionalKey(Schema.Literals(["off", "public"])),
    healthcheckPath: Path(defaultPaths.healthcheckPath),
    healthzPath: Path(defaultPaths.healthzPath),
    interval: Config.Duration.check(
      Schema.makeFilter((interval) => Duration.isGreaterThanOrEqualTo(interval, shortest), {
        expected: "a duration of 100 ms at least"
      })
    ).pipe(Config.withDefault("10 seconds")),
    livezPath: Path(defaultPaths.livezPath),
    readyzPath: Path(defaultPaths.readyzPath)
  },
  {
    check: (health) => {
      const defaults = Object.values<string>(defaultPaths)
      const paths = pathKeys.map((key) => health[key])
      return pathKeys.flatMap((key, index) => {
        const path = health[key]
        const isTaken = path !== defaultPaths[key] && defaults.includes(path)
        return isTaken || paths.indexOf(path) !== index
          ? [{ expected: "a path of its own", key, reason: "another health endpoint has it" }]
          : []
      })
    }
  }
)
