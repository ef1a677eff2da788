/** Headers that tell browsers what they may do with a reply. */

export { nonce } from "./Nonce.ts"
export { SecureHeadersConfig } from "./SecureHeadersConfig.ts"
export { plugin } from "./SecureHeadersPlugin.ts"
