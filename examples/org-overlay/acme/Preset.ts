/** The plugins that every service of the organisation has. */
import { Preset } from "flange"
import * as SecureHeaders from "flange/SecureHeaders"
import { AuthPlugin } from "./AuthPlugin.ts"
import { DefaultsPlugin } from "./DefaultsPlugin.ts"
import { TokensPlugin } from "./TokensPlugin.ts"

export const preset = [
  ...Preset.api,
  SecureHeaders.plugin,
  AuthPlugin,
  DefaultsPlugin,
  TokensPlugin
] as const
