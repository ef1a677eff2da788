/** Where each signal goes, and how. */
import * as Duration from "effect/Duration"
import * as Redacted from "effect/Redacted"
import type { Target } from "./Export/Post.ts"
import * as KeyValues from "./KeyValues.ts"
import { type Format, formats, type Signal } from "./Otlp/Envelope.ts"
import type { Settings } from "./TelemetryConfig.ts"

/** Returns the URL of a signal at a collector. */
const urlOf = (endpoint: string, signal: Signal): string => {
  const url = new URL(endpoint)
  url.pathname = `${url.pathname.replace(/\/$/, "")}/v1/${signal}`
  return url.href
}

/** Returns where a signal goes; undefined if it is not exported. */
export const targetOf = (settings: Settings, signal: Signal): Target | undefined => {
  const own = settings[signal]
  const url = own.endpoint ?? (settings.endpoint && urlOf(settings.endpoint, signal))
  if (url === undefined || settings.disabled || own.exporter === "none") return undefined
  const headers = own.headers ?? settings.headers
  return {
    compression: own.compression ?? settings.compression,
    // The section has checked the text.
    headers: headers === undefined ? {} : (KeyValues.parse(Redacted.value(headers)) ?? {}),
    timeout: Duration.toMillis(own.timeout ?? settings.timeout),
    url
  }
}

/** Returns the format of the requests of a signal. */
export const formatOf = (settings: Settings, signal: Signal): Format => {
  const protocol = settings[signal].protocol ?? settings.protocol
  return formats[protocol === "grpc" ? "http/protobuf" : protocol]
}
