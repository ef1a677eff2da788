/** The package of the organisation: what its services import. */

export { AuthConfig, AuthPlugin } from "./AuthPlugin.ts"
export { DefaultsPlugin } from "./DefaultsPlugin.ts"
export { preset } from "./Preset.ts"
export { Tokens, TokensPlugin } from "./TokensPlugin.ts"
