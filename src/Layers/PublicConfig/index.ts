/** Public configuration: the keys that clients may read, at an endpoint. */

export { Body, PublicConfigApi } from "./PublicConfigApi.ts"
export { plugin } from "./PublicConfigPlugin.ts"
