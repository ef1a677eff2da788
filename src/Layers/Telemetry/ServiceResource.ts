/** The attributes of the service that made the telemetry. */
import { randomUUID } from "node:crypto"
import { arch, hostname, type } from "node:os"
import type { AppRuntimeShape } from "../../Plugin/AppRuntime.ts"
import { version } from "../../Plugin/Version.ts"
import type { Resource } from "./Otlp/Envelope.ts"
import type { Settings } from "./TelemetryConfig.ts"

/**
 * Returns the attributes of the service. Those of the configuration override those of the app.
 *
 * Source: OpenTelemetry semantic conventions for resources.
 */
export const make = (
  { resourceAttributes, serviceName }: Pick<Settings, "resourceAttributes" | "serviceName">,
  app: Pick<AppRuntimeShape, "environment" | "name" | "version">
): Resource => ({
  "deployment.environment.name": app.environment,
  "host.arch": arch(),
  "host.name": hostname(),
  "os.type": type().toLowerCase(),
  "process.pid": process.pid,
  "process.runtime.name": "nodejs",
  "process.runtime.version": process.versions.node,
  "service.instance.id": randomUUID(),
  "service.name": app.name,
  "service.version": app.version,
  ...resourceAttributes,
  ...(serviceName === undefined ? {} : { "service.name": serviceName }),
  "telemetry.sdk.language": "nodejs",
  "telemetry.sdk.name": "flange",
  "telemetry.sdk.version": version
})
