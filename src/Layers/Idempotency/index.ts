/** Idempotency keys: a request that is sent again is carried out once. */

export {
  IdempotencyErrors,
  IdempotencyKeyInUse,
  IdempotencyKeyMalformed,
  IdempotencyKeyMissing,
  IdempotencyKeyReused,
  IdempotencyReplyTooLarge,
  Idempotent,
  withKey
} from "./Contract.ts"
export { IdempotencyConfig } from "./IdempotencyConfig.ts"
export { IdempotencyBackendError, plugin, withDatabase, withRedis } from "./IdempotencyPlugin.ts"
export { type Attempt, type Found, KeyStore, KeyStoreError, type Store } from "./KeyStore.ts"
