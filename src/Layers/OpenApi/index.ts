/** The OpenAPI document of the app, and pages that show it. */

export { OpenApiConfig } from "./OpenApiConfig.ts"
export { plugin } from "./OpenApiPlugin.ts"
