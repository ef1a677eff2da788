/** Outgoing calls: an HTTP client with timeouts, retries, circuit breakers and a guard for URLs of users. */

export { Clients, type ClientsShape } from "./Clients.ts"
export { CallRefused, type Limit, OutgoingError, refusalOf, UnknownUpstream } from "./Errors.ts"
export { OutgoingConfig, type Settings } from "./OutgoingConfig.ts"
export { client, forUserUrls, plugin } from "./OutgoingPlugin.ts"
