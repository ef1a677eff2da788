/** How a backend shows in the contract: a challenge in `WWW-Authenticate`, a security scheme in OpenAPI. */
import * as HttpApiSecurity from "effect/http-api/HttpApiSecurity"
import * as OpenApi from "effect/http-api/OpenApi"
import { quoted } from "../../../Server/Exchange/Text.ts"
import * as Source from "./Source.ts"

/** What is wrong with credentials, as far as the client may know. Source: RFC 6750, section 3.1. */
export type ChallengeError = "invalid_request" | "invalid_token"

/** A way to authenticate. */
export interface Scheme {
  /** The challenge for a realm, as one element of `WWW-Authenticate`. */
  readonly challenge: (realm: string, error?: ChallengeError) => string
  /** How OpenAPI describes it. */
  readonly security: HttpApiSecurity.HttpApiSecurity
}

/** Bearer tokens. Source: RFC 6750. */
export const bearer = (format?: string): Scheme => ({
  challenge: (realm, error) =>
    `Bearer realm=${quoted(realm)}${error === undefined ? "" : `, error="${error}"`}`,
  security:
    format === undefined
      ? HttpApiSecurity.bearer
      : HttpApiSecurity.annotate(HttpApiSecurity.bearer, OpenApi.Format, format)
})

/** User name and password. Source: RFC 7617. */
export const basic: Scheme = {
  challenge: (realm) => `Basic realm=${quoted(realm)}, charset="UTF-8"`,
  security: HttpApiSecurity.basic
}

/**
 * A key in a header, cookie or query parameter. HTTP has no registered scheme for it, and a 401
 * must have a challenge (RFC 9110, section 15.5.2), so it says where the key goes.
 */
export const apiKey = (source: Source.Source): Scheme => ({
  challenge: (realm) =>
    `ApiKey realm=${quoted(realm)}, in=${quoted(source.in)}, name=${quoted(source.name)}`,
  security: HttpApiSecurity.apiKey({ in: source.in, key: source.name })
})

/** The scheme of a token in this place. */
export const token = (source: Source.Source, format?: string): Scheme =>
  source.scheme === "bearer" ? bearer(format) : apiKey(source)

/** Returns the place of the credentials that a scheme describes. */
export const sourceOf = ({ security }: Scheme): Source.Source => {
  switch (security._tag) {
    case "ApiKey":
      return { in: security.in, name: security.key.toLowerCase(), scheme: undefined }
    case "Basic":
      return Source.authorization("basic")
    case "Http":
      return Source.authorization(security.scheme)
  }
}
