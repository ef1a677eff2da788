/**
 * Who calls, and what the caller may do: backends in chains, guards and policies
 * in the contract, an audit of every decision.
 */
export { apiKey, hashKey, type KeyEntry, keys, type ValidateKey } from "./ApiKey.ts"
export * as AuditLog from "./AuditLog.ts"
export { plugin } from "./AuthPlugin.ts"
export { type Authenticate, type Backend, backend, Skip } from "./Backend.ts"
export { basic, type Credentials, type User, users, type ValidatePassword } from "./Basic.ts"
export { bearer, type TokenEntry } from "./Bearer.ts"
export { type Chain, chain, type Mode } from "./Chain.ts"
export { type Claims, claims, type Mapper, oauthClaims } from "./Claims.ts"
export { privileged, requireAnyScope, requireScopes, serviceAccount } from "./Contract.ts"
export { AuthSettingsError, BackendUnavailable, CredentialsRejected } from "./Failure.ts"
export { attributes, identity, type IdentityInput } from "./Identity.ts"
export type { JwksOptions } from "./Jwks.ts"
export { jwt, type JwtOptions, type JwtSettings } from "./Jwt.ts"
export {
  anyKey,
  type HmacAlgorithm,
  type Jwk,
  jwks,
  type Keys,
  type PublicAlgorithm,
  publicKey,
  secret
} from "./JwtKeys.ts"
export * as Policy from "./Policy.ts"
export type { Scheme } from "./Scheme.ts"
export { authorization, cookie, header, query, type Source } from "./Source.ts"
