/**
 * What a contract is written with: no server code, so that a browser can import
 * it together with the client made of it.
 */
export * as ApiError from "../Server/ApiError.ts"
export * as Authentication from "../Server/Authentication.ts"
export { BodyLimit } from "../Server/BodyLimit.ts"
export * as Pagination from "../Server/Pagination.ts"
export { Limited, RatePolicy } from "../Server/RatePolicy.ts"
