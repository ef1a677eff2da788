/** Time limits and deadlines of requests. */

export { IdleTimeout, TimeLimited, Timeout } from "../../Contract/Timeout.ts"
export { TimeoutConfig } from "./TimeoutConfig.ts"
export { plugin } from "./TimeoutPlugin.ts"
