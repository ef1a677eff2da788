/**
 * Flange: production HTTP services on Effect 4. A plugin is a Layer, an app is a
 * list of plugins, and the compiler refuses an app whose plugins do not fit.
 */

export * as App from "./App.ts"
export * as Config from "./Config/index.ts"
export { Network } from "./Config/Network.ts"
export * as ApiError from "./Contract/ApiError.ts"
export * as Authentication from "./Contract/Authentication.ts"
export { CurrentIdentity, type Identity, OptionalIdentity } from "./Contract/Authentication.ts"
export { BodyLimit } from "./Contract/BodyLimit.ts"
export * as Catalogue from "./Contract/Catalogue.ts"
export * as Client from "./Contract/Client.ts"
export { Created } from "./Contract/Created.ts"
export * as ErrorEnvelope from "./Contract/ErrorEnvelope.ts"
export * as Pagination from "./Contract/Pagination.ts"
export * as Action from "./Plugin/Action.ts"
export * as AdminRoute from "./Plugin/AdminRoute.ts"
export { AppRuntime } from "./Plugin/AppRuntime.ts"
export * as BootTree from "./Plugin/BootTree.ts"
export * as Cli from "./Plugin/Cli.ts"
export * as ConsolePanel from "./Plugin/ConsolePanel.ts"
export * as Contribution from "./Plugin/Contribution.ts"
export * as Deadline from "./Plugin/Deadline.ts"
export * as Doctor from "./Plugin/Doctor.ts"
export {
  AssemblyError,
  BindError,
  ReleaseTimeoutError,
  StartTimeoutError
} from "./Plugin/Errors.ts"
export * as Extension from "./Plugin/Extension.ts"
export * as HealthCheck from "./Plugin/HealthCheck.ts"
export * as Plugin from "./Plugin/Plugin.ts"
export * as Role from "./Plugin/Role.ts"
export * as Preset from "./Preset.ts"
export * as ClientIp from "./Server/Exchange/ClientIp.ts"
export * as ContentDisposition from "./Server/Exchange/ContentDisposition.ts"
export * as Memo from "./Server/Exchange/Memo.ts"
export * as RequestFields from "./Server/Exchange/RequestFields.ts"
export { RequestId } from "./Server/Exchange/RequestId.ts"
export { type Sample, Sampling } from "./Server/Exchange/ServerSpan.ts"
export * as SetCookie from "./Server/Exchange/SetCookie.ts"
export * as TraceContext from "./Server/Exchange/TraceContext.ts"
export * as Tls from "./Server/Listener/Node/Tls/Tls.ts"
export * as Middleware from "./Server/Route/Middleware.ts"
export * as Mount from "./Server/Route/Mount.ts"
export * as Route from "./Server/Route/Route.ts"
