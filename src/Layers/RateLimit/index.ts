/** Rate limits: how many requests a caller may send. */

export { Limited, type Policy, RatePolicy } from "../../Contract/RatePolicy.ts"
export { RateLimitConfig } from "./RateLimitConfig.ts"
export { plugin } from "./RateLimitPlugin.ts"
export { memory, type Shape, Store } from "./Store.ts"
