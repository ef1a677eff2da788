/** The configuration section `metrics`. */
import * as Schema from "effect/Schema"
import * as Config from "../../Config/index.ts"

/**
 * Section `metrics`.
 *
 * | key | default | meaning |
 * |---|---|---|
 * | `access` | `token` if there is one, otherwise `public`, in production `off` | who may read the metrics: `public` for everybody, `token` for those that send `token` as a bearer token, `off` for nobody |
 * | `fibers` | `false` | whether fibers are counted, which costs time for each fiber |
 * | `maxSeries` | 2000 | the most series of one metric: one for each combination of its attributes. Further ones are not kept, and a warning names the metric |
 * | `path` | `/metrics` | where the metrics are |
 * | `token` | none | the secret of `access = "token"`; variable `METRICS_TOKEN` |
 */
export const MetricsConfig = Config.section(
  "metrics",
  {
    access: Schema.optionalKey(Schema.Literals(["off", "public", "token"])),
    fibers: Schema.Boolean.pipe(Config.withDefault(false)),
    maxSeries: Schema.Int.check(Schema.isGreaterThan(0)).pipe(Config.withDefault(2000)),
    path: Schema.String.check(
      Schema.isPattern(/^\/[A-Za-z0-9._~/-]*[A-Za-z0-9._~-]$/, {
        expected: "a path that begins with / and does not end with it"
      })
    ).pipe(Config.withDefault("/metrics")),
    token: Schema.optionalKey(Config.Secret)
  },
  {
    check: ({ access, token }) =>
      access === "token" && token === undefined
        ? [{ key: "token", reason: 'metrics.access is "token"' }]
        : [],
    variables: { METRICS_TOKEN: "token" }
  }
)
