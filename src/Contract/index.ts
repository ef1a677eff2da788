/**
 * The modules with which contracts are written. They hold no server code, so that a browser can
 * import a contract together with its client.
 */

export * as ApiError from "./ApiError.ts"
export * as Authentication from "./Authentication.ts"
export { BodyLimit } from "./BodyLimit.ts"
export * as Catalogue from "./Catalogue.ts"
export * as Client from "./Client.ts"
export { Created } from "./Created.ts"
export * as ErrorEnvelope from "./ErrorEnvelope.ts"
export * as Pagination from "./Pagination.ts"
export { Limited, RateCost, RatePolicy } from "./RatePolicy.ts"
export { StrictQuery } from "./StrictQuery.ts"
export { IdleTimeout, TimeLimited, Timeout } from "./Timeout.ts"
