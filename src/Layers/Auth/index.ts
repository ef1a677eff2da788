/**
 * Authentication and authorization: backends in chains, guards and policies
 * in the contract, an audit of every decision.
 */

export * as AuditLog from "./AuditLog.ts"
export { plugin } from "./AuthPlugin.ts"
export { apiKey, hashKey, type KeyEntry, keys, type ValidateKey } from "./Backend/ApiKey.ts"
export { type Authenticate, type Backend, backend, Skip } from "./Backend/Backend.ts"
export {
  basic,
  type Credentials,
  type User,
  users,
  type ValidatePassword
} from "./Backend/Basic.ts"
export { bearer, type TokenEntry } from "./Backend/Bearer.ts"
export { clientCertificate, type ValidateCertificate } from "./Backend/ClientCertificate.ts"
export type { Rotating } from "./Backend/Rotation.ts"
export type { Scheme } from "./Backend/Scheme.ts"
export { authorization, cookie, header, query, type Source } from "./Backend/Source.ts"
export { type Chain, chain, type Mode } from "./Chain.ts"
export {
  privileged,
  requireAnyScope,
  requireScopes,
  serviceAccount,
  unguarded
} from "./Contract.ts"
export { CrossSiteConfig } from "./CrossSiteConfig.ts"
export { AuthSettingsError, BackendUnavailable, CredentialsRejected } from "./Failure.ts"
export { GuessingConfig } from "./GuessingConfig.ts"
export { attributes, identity, type IdentityInput } from "./Identity.ts"
export { type Claims, claims, type Mapper, oauthClaims } from "./Jwt/Claims.ts"
export type { JwksOptions } from "./Jwt/Jwks.ts"
export { jwt, type JwtOptions, type JwtSettings } from "./Jwt/Jwt.ts"
export {
  anyKey,
  type HmacAlgorithm,
  type Jwk,
  jwks,
  type Keys,
  type PublicAlgorithm,
  publicKey,
  secret
} from "./Jwt/Keys.ts"
export * as Policy from "./Policy.ts"
