/**
 * The contract of the admin port, for its typed client. The routes that plugins contribute with
 * `AdminRoute.make` are not in it. This module has no server code, so a browser can import it.
 */
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import {
  AdminActionFailed,
  AdminActionNotFound,
  AdminActionRefused,
  AdminDrainRefused
} from "../../Contract/AdminErrors.ts"

export {
  AdminActionFailed,
  AdminActionNotFound,
  AdminActionRefused,
  AdminDrainRefused,
  AdminHeaderMissing,
  AdminHostRefused,
  AdminPathNotFound
} from "../../Contract/AdminErrors.ts"

const Strings = Schema.Array(Schema.String)

/** The state of the app: `draining` from the first moment of its stop. */
export const Status = Schema.Literals(["draining", "ready", "starting", "stopped"])

/** What the app is. */
export const Info = Schema.Struct({
  /** ISO time of the build. */
  buildDate: Schema.optional(Schema.String),
  /** Source revision. */
  commit: Schema.optional(Schema.String),
  environment: Schema.String,
  /** The version of Flange. */
  flange: Schema.String,
  hostname: Schema.String,
  id: Schema.String,
  name: Schema.String,
  /** The version of Node. */
  node: Schema.String,
  pid: Schema.Int,
  /** ISO time at which the app began to boot. */
  startedAt: Schema.String,
  status: Status,
  /** Seconds since then. */
  uptime: Schema.Int,
  version: Schema.String
}).annotate({ identifier: "AdminInfo" })

/** The state of the app and of its components. */
export const Health = Schema.Struct({
  components: Schema.Array(
    Schema.Struct({
      checkedAt: Schema.optionalKey(Schema.String),
      class: Schema.Literals(["critical", "informational", "shared"]),
      latencyMs: Schema.optionalKey(Schema.Finite),
      name: Schema.String,
      status: Schema.Literals(["degraded", "down", "unknown", "up"])
    })
  ),
  /** Whether something runs the health checks of the app: `Health.plugin` does. */
  monitored: Schema.Boolean,
  status: Status
}).annotate({ identifier: "AdminHealth" })

/** The configuration that is in effect. The values of secrets are masked. */
export const Configuration = Schema.Struct({
  environment: Schema.String,
  keys: Schema.Array(
    Schema.Struct({
      default: Schema.optional(Schema.Unknown),
      description: Schema.optional(Schema.String),
      expected: Schema.String,
      key: Schema.String,
      /** The values that it replaced, the highest precedence first. */
      overridden: Schema.Array(Schema.Struct({ source: Schema.String, value: Schema.String })),
      public: Schema.Boolean,
      required: Schema.Boolean,
      secret: Schema.Boolean,
      /** Where the value is; null if the key is not set. */
      source: Schema.NullOr(Schema.String),
      /** The value as text, `<redacted>` for a secret; null if the key is not set. */
      value: Schema.NullOr(Schema.String),
      variables: Strings
    })
  ),
  warnings: Strings
}).annotate({ identifier: "AdminConfiguration" })

/** The roles of the processes that carry it out; undefined for all. */
const roles = Schema.optional(Schema.Array(Schema.Literals(["scheduler", "server", "worker"])))

const Access = {
  access: Schema.Literals(["bare", "optional", "protected", "public"]),
  chain: Schema.optional(Schema.String),
  group: Schema.String,
  plugin: Schema.String,
  roles
}

/** The routes of the app: what `flange routes` lists. */
export const Routes = Schema.Struct({
  rawGroups: Schema.Array(Schema.Struct(Access)),
  routes: Schema.Array(
    Schema.Struct({
      ...Access,
      bodyLimit: Schema.optional(Schema.Finite),
      cache: Schema.optional(
        Schema.Struct({
          sharing: Schema.Literals(["perIdentity", "public"]),
          ttl: Schema.Finite,
          varyBy: Strings
        })
      ),
      codec: Schema.Literals(["compiled", "effect", "partial"]),
      codecReason: Schema.optional(Schema.String),
      /** The codes of its errors by status. */
      errors: Schema.Record(Schema.String, Strings),
      idempotency: Schema.optional(
        Schema.Struct({ required: Schema.Boolean, ttl: Schema.optional(Schema.Finite) })
      ),
      method: Schema.String,
      /** The middleware around it, outermost first. */
      middleware: Schema.Array(
        Schema.Struct({ name: Schema.String, plugin: Schema.String, slot: Schema.String })
      ),
      name: Schema.String,
      path: Schema.String,
      policies: Strings,
      rateLimits: Schema.Array(
        Schema.Struct({
          by: Schema.String,
          cost: Schema.Finite,
          name: Schema.String,
          policy: Schema.optional(
            Schema.Struct({
              algorithm: Schema.Literals(["sliding-window", "token-bucket"]),
              burst: Schema.Finite,
              limit: Schema.Finite,
              window: Schema.Finite
            })
          )
        })
      ),
      realtime: Schema.optional(Schema.Literals(["sse", "websocket"])),
      scopes: Schema.Array(
        Schema.Struct({ match: Schema.Literals(["all", "any"]), scopes: Strings })
      ),
      timeout: Schema.optional(Schema.Finite),
      transaction: Schema.Literals(["none", "read-only", "read-write"]),
      unguarded: Schema.Boolean
    })
  )
}).annotate({ identifier: "AdminRoutes" })

/** The plugins of the app in the order in which they were acquired, and the phases of its boot. */
export const Plugins = Schema.Struct({
  /** The steps so far, in the order in which they began. Times are in milliseconds. */
  boot: Schema.Array(
    Schema.Struct({
      duration: Schema.Finite,
      failed: Schema.Boolean,
      phase: Schema.Literals([
        "acquire",
        "assemble",
        "bind",
        "configure",
        "drain",
        "ready",
        "release"
      ]),
      /** Undefined for a step of the app itself. */
      plugin: Schema.optional(Schema.String),
      start: Schema.Finite
    })
  ),
  plugins: Schema.Array(
    Schema.Struct({
      config: Strings,
      contributions: Schema.Array(
        Schema.Struct({ kind: Schema.String, name: Schema.String, roles })
      ),
      id: Schema.String,
      provides: Strings,
      requires: Strings
    })
  )
}).annotate({ identifier: "AdminPlugins" })

/** The actions of the app, with the JSON Schemas of what they take, return and fail with. */
export const Actions = Schema.Array(
  Schema.Struct({
    /** Null if it cannot be written as a JSON Schema, as those below. */
    error: Schema.Unknown,
    name: Schema.String,
    payload: Schema.Unknown,
    plugin: Schema.String,
    success: Schema.Unknown
  })
).annotate({ identifier: "AdminActions" })

/** The panels of a console that the plugins contribute. */
export const Panels = Schema.Array(
  Schema.Struct({
    /** The path of the data. */
    data: Schema.String,
    name: Schema.String,
    plugin: Schema.String,
    title: Schema.String
  })
).annotate({ identifier: "AdminPanels" })

/** Every route of the admin port. */
export const Index = Schema.Array(
  Schema.Struct({
    /** Whether it changes something. */
    changes: Schema.Boolean,
    description: Schema.String,
    method: Schema.String,
    path: Schema.String,
    plugin: Schema.String
  })
).annotate({ identifier: "AdminIndex" })

/** The endpoints of the admin port that every app with the battery has. */
export class AdminGroup extends HttpApiGroup.make("admin", { topLevel: true }).add(
  HttpApiEndpoint.get("actions", "/actions", { success: Actions }).annotate(
    OpenApi.Summary,
    "Actions, with the schemas of their payloads"
  ),
  HttpApiEndpoint.get("config", "/config", { success: Configuration }).annotate(
    OpenApi.Summary,
    "Configuration in effect: values, sources, masked secrets"
  ),
  HttpApiEndpoint.post("drain", "/drain", {
    error: AdminDrainRefused,
    payload: Schema.Struct({}),
    success: Schema.Struct({ status: Schema.Literal("draining") }).pipe(HttpApiSchema.status(202))
  }).annotate(OpenApi.Summary, "Stops the app as SIGTERM does"),
  HttpApiEndpoint.get("health", "/health", { success: Health }).annotate(
    OpenApi.Summary,
    "State of the app and of its components"
  ),
  HttpApiEndpoint.get("index", "/", { success: Index }).annotate(
    OpenApi.Summary,
    "Routes of this port"
  ),
  HttpApiEndpoint.get("info", "/info", { success: Info }).annotate(
    OpenApi.Summary,
    "Name, version, environment, uptime"
  ),
  HttpApiEndpoint.get("panels", "/panels", { success: Panels }).annotate(
    OpenApi.Summary,
    "Panels that plugins contribute to a console"
  ),
  HttpApiEndpoint.get("plugins", "/plugins", { success: Plugins }).annotate(
    OpenApi.Summary,
    "Plugins and the times of the boot"
  ),
  HttpApiEndpoint.get("routes", "/routes", { success: Routes }).annotate(
    OpenApi.Summary,
    "Routes of the app: access, guards, limits, errors"
  ),
  HttpApiEndpoint.post("runAction", "/actions/:name", {
    error: [AdminActionFailed, AdminActionNotFound, AdminActionRefused],
    params: { name: Schema.String },
    /** `payload` is that of the action; leave it out for an action without one. */
    payload: Schema.Struct({ payload: Schema.optionalKey(Schema.Unknown) }),
    success: Schema.Struct({ result: Schema.Unknown })
  }).annotate(OpenApi.Summary, "Runs an action")
) {}

/**
 * The API of the admin port.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as HttpClient from "effect/http/HttpClient"
 * import * as HttpClientRequest from "effect/http/HttpClientRequest"
 * import * as Admin from "flange/Admin/Contract"
 * import { Client } from "flange/Contract"
 *
 * export const stop = Effect.gen(function* () {
 *   const admin = yield* Client.make(Admin.AdminApi, {
 *     baseUrl: "http://10.0.0.7:8081",
 *     transformClient: HttpClient.mapRequest(HttpClientRequest.bearerToken("a secret of the app"))
 *   })
 *   yield* admin.drain({ payload: {} })
 * })
 * ```
 */
export const AdminApi = HttpApi.make("admin").add(AdminGroup)
