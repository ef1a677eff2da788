/** Overload: admits as many requests as the app can serve, and refuses the others early. */

export { CallerPriority, type PriorityOf } from "./CallerPriority.ts"
export { type Priority, RoutePriority } from "./Contract.ts"
export { OverloadConfig } from "./OverloadConfig.ts"
export { plugin } from "./OverloadPlugin.ts"
