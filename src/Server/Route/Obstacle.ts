/** Finds endpoints that Effect has to serve, because a request or reply is not one whole value. */
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as EffectInternals from "../EffectInternals.ts"

/** Returns why an endpoint needs Effect's own handler; undefined if it does not. */
export const obstacle = (endpoint: HttpApiEndpoint.Top): string | undefined => {
  for (const { encoding } of endpoint.payload.values()) {
    if (encoding._tag === "Multipart") return "its payload is multipart"
    if (encoding._tag === "Stream") return "its payload is a stream"
  }
  for (const schema of endpoint.success) {
    if (EffectInternals.isUpgrade(schema)) return "it upgrades the connection"
    const body = HttpApiSchema.isWithHeaders(schema) ? schema.schema : schema
    if (EffectInternals.isStreamSchema(body)) return "its success is a stream"
  }
  return undefined
}
