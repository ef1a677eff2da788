/** Headers that tell browsers what they may do with a reply. */

export { SecureHeadersConfig } from "./SecureHeadersConfig.ts"
export { plugin } from "./SecureHeadersPlugin.ts"
