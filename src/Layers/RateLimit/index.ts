/** Rate limits: how many requests a caller may send. */

export {
  type Algorithm,
  Limited,
  type Policy,
  RateCost,
  RatePolicy
} from "../../Contract/RatePolicy.ts"
export { RateLimitBackendError } from "./Backend.ts"
export { type Extract, key } from "./Key.ts"
export { memory } from "./MemoryStore.ts"
export { RateLimitConfig } from "./RateLimitConfig.ts"
export { plugin, withRedis } from "./RateLimitPlugin.ts"
export type { Rule, Take, Taken } from "./Rule.ts"
export { RateLimitStoreError, type Shape, Store } from "./Store.ts"
