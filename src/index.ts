export * as App from "./App.ts"
export * as Config from "./Config/index.ts"
/**
 * Flange: production HTTP services on Effect 4. A plugin is a Layer, an app is a
 * list of plugins, and the compiler refuses an app whose plugins do not fit.
 */
export * as Action from "./Plugin/Action.ts"
export { AppRuntime } from "./Plugin/AppRuntime.ts"
export * as BootTree from "./Plugin/BootTree.ts"
export { AssemblyError, BindError, StartTimeoutError } from "./Plugin/Errors.ts"
export * as HealthCheck from "./Plugin/HealthCheck.ts"
export * as Plugin from "./Plugin/Plugin.ts"
export * as Preset from "./Preset.ts"
export * as ApiError from "./Server/ApiError.ts"
export * as Authentication from "./Server/Authentication.ts"
export { CurrentIdentity, type Identity } from "./Server/Authentication.ts"
export * as Catalogue from "./Server/Catalogue.ts"
export * as Middleware from "./Server/Middleware.ts"
export * as Pagination from "./Server/Pagination.ts"
export { RequestId } from "./Server/RequestId.ts"
export * as Route from "./Server/Route.ts"
export { BodyLimit } from "./Server/Route.ts"
