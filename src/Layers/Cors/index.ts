/** CORS: which pages of other origins may call the app. */

export { CorsConfig } from "./CorsConfig.ts"
export { plugin, withPredicate } from "./CorsPlugin.ts"
