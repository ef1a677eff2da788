/** Admin: a port of its own that shows and steers the running app. */

export { AdminConfig } from "./AdminConfig.ts"
export { plugin, protectedWith } from "./AdminPlugin.ts"
export * from "./Contract.ts"
