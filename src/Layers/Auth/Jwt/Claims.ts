/** Maps the claims of a token to an identity. */
import type { IdentityInput } from "../Identity.ts"

/** The claims of a verified token. */
export type Claims = Readonly<Record<string, unknown>>

/**
 * Returns the identity for claims. If it returns a text, that is the reason why the token is
 * refused; it goes to audit and log only.
 */
export type Mapper = (claims: Claims) => IdentityInput | string

const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined

/** `scope` (RFC 8693, section 4.2) or `scp`: a list, or texts with spaces between scopes. */
const scopesOf = (claims: Claims): ReadonlyArray<string> => {
  const value = claims["scope"] ?? claims["scp"]
  if (typeof value === "string") return words(value)
  return Array.isArray(value)
    ? value.flatMap((item) => (typeof item === "string" ? words(item) : []))
    : []
}

const words = (text: string): ReadonlyArray<string> => {
  const parts = text.split(" ")
  return parts.includes("") ? parts.filter((part) => part !== "") : parts
}

const nameOf = (claims: Claims): string | undefined =>
  text(claims["name"]) ?? text(claims["preferred_username"]) ?? text(claims["email"])

/**
 * The default mapper: `sub` is the subject, `name`, `preferred_username` or
 * `email` the display name, `scope` or `scp` the scopes. Nobody is privileged or
 * a service account.
 *
 * @example
 * ```ts
 * import * as Auth from "flange/Auth"
 *
 * Auth.claims({ scope: "orders:read orders:write", sub: "ada" })
 * // => { attributes: {}, displayName: undefined, scopes: ["orders:read", "orders:write"], subject: "ada" }
 * ```
 */
export const claims: Mapper = (claims) => {
  const subject = text(claims["sub"])
  return subject === undefined
    ? "The token has no subject (sub)"
    : { attributes: {}, displayName: nameOf(claims), scopes: scopesOf(claims), subject }
}

/**
 * The mapper for OAuth access tokens: `client_id` (or `azp`) becomes the
 * attribute `clientId`, and a token that a client got for itself, without a
 * user, is a service account: one without `sub`, or whose `sub` is the client.
 * Source: RFC 9068, section 2.2.
 *
 * @example
 * ```ts
 * import * as Auth from "flange/Auth"
 *
 * const found = Auth.oauthClaims({ client_id: "billing", sub: "billing" })
 * typeof found === "object" && found.isServiceAccount // => true
 * ```
 */
export const oauthClaims: Mapper = (claims) => {
  const clientId = text(claims["client_id"]) ?? text(claims["azp"])
  const user = text(claims["sub"])
  const subject = user ?? clientId
  if (subject === undefined) return "The token has neither a subject (sub) nor a client (client_id)"
  return {
    attributes: clientId === undefined ? {} : { clientId },
    displayName: nameOf(claims),
    isServiceAccount: clientId !== undefined && (user === undefined || user === clientId),
    scopes: scopesOf(claims),
    subject
  }
}
