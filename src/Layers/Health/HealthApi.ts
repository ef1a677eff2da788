/** The contract of the health endpoints. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { ServiceUnavailable } from "../../Contract/Catalogue.ts"
import { StrictQuery } from "../../Contract/StrictQuery.ts"
import { defaultPaths } from "./HealthConfig.ts"

/** One component of the service, as its last check found it. */
export const Component = Schema.Struct({
  name: Schema.String,
  /**
   * `up`, `degraded` if it works in part or fails less often than its threshold, `down`, or `unknown`
   * before its first check.
   */
  status: Schema.Literals(["degraded", "down", "unknown", "up"]),
  /** The consequence of a failure: `critical` turns `/readyz` to 503, the others only degrade the report. */
  class: Schema.Literals(["critical", "informational", "shared"]),
  /** How long the last check took, in milliseconds. */
  latencyMs: Schema.optionalKey(Schema.Finite),
  /** ISO time at which the last check ended. */
  checkedAt: Schema.optionalKey(Schema.String)
}).annotate({ identifier: "HealthComponent" })

/** One component of the service, as its last check found it. */
export type Component = typeof Component.Type

/** One worker of `server.workers`, as the supervisor last reported it. */
export const Worker = Schema.Struct({
  number: Schema.Finite,
  /** `waiting` after a crash, until it is started again. */
  status: Schema.Literals(["serving", "starting", "waiting"]),
  /** How often it was started again after a crash. */
  restarts: Schema.Finite
}).annotate({ identifier: "HealthWorker" })

/**
 * The body of `/healthcheck`. If `health.details` is `off`, the default in production, it has the
 * status alone. Only the log has the reason why a component is down.
 */
export const Report = Schema.Struct({
  /**
   * `fail` if a critical component is down; otherwise `degraded` if any component is down or degraded;
   * otherwise `pass`.
   */
  status: Schema.Literals(["degraded", "fail", "pass"]),
  name: Schema.optionalKey(Schema.String),
  version: Schema.optionalKey(Schema.String),
  /** ISO time of the build. */
  buildDate: Schema.optionalKey(Schema.String),
  /** Source revision. */
  commit: Schema.optionalKey(Schema.String),
  /** The role of the process, if it has not all of them. */
  role: Schema.optionalKey(Schema.Literals(["scheduler", "server", "worker"])),
  /** The framework and its version, such as `flange 1.2.0`. */
  framework: Schema.optionalKey(Schema.String),
  /** The runtime and its version, such as `node 24.1.0`. */
  runtime: Schema.optionalKey(Schema.String),
  hostname: Schema.optionalKey(Schema.String),
  /** Seconds since the process began to boot the app. */
  uptime: Schema.optionalKey(Schema.Finite),
  components: Schema.optionalKey(Schema.Array(Component)),
  /** The number of the worker that answers, with `server.workers` above 1. */
  worker: Schema.optionalKey(Schema.Finite),
  /** All workers, with `server.workers` above 1. */
  workers: Schema.optionalKey(Schema.Array(Worker))
}).annotate({ identifier: "HealthReport" })

/** The body of `/healthcheck`. */
export type Report = typeof Report.Type

const Probe = (status: "alive" | "ready") => Schema.Struct({ status: Schema.Literal(status) })

/**
 * The endpoints for orchestrators and load balancers. The section `health` can move the paths.
 *
 * | endpoint | answers |
 * |---|---|
 * | `GET /livez`, `GET /healthz` | 200 while the process answers at all |
 * | `GET /readyz` | 200 while the app is ready and no critical component is down, else 503: before ready, and from the first moment of the drain |
 */
export class ProbesApi extends HttpApiGroup.make("probes")
  .add(
    HttpApiEndpoint.get("healthz", defaultPaths.healthzPath, { success: Probe("alive") }).annotate(
      OpenApi.Summary,
      "Whether the process answers: another name of /livez"
    ),
    HttpApiEndpoint.get("livez", defaultPaths.livezPath, { success: Probe("alive") }).annotate(
      OpenApi.Summary,
      "Whether the process answers"
    ),
    HttpApiEndpoint.get("readyz", defaultPaths.readyzPath, {
      error: ServiceUnavailable,
      success: Probe("ready")
    }).annotate(OpenApi.Summary, "Whether the service takes requests")
  )
  .annotate(OpenApi.Description, "What an orchestrator and a load balancer ask")
  // An app that is strict must not fail the probes of others.
  .annotate(StrictQuery, false) {}

/**
 * The endpoint for people and dashboards. The status of `GET /healthcheck` is always 200; its body
 * has the state of the components.
 */
export class HealthApi extends HttpApiGroup.make("health")
  .add(
    HttpApiEndpoint.get("healthcheck", defaultPaths.healthcheckPath, { success: Report }).annotate(
      OpenApi.Summary,
      "What the service is, and how its components are"
    )
  )
  .annotate(OpenApi.Description, "What a person and a dashboard ask")
  .annotate(StrictQuery, false) {}
