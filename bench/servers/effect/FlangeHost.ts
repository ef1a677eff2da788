/** What both tiers of Flange have: where they listen, and that they report it. */
import * as Effect from "effect/Effect"
import { Plugin } from "flange"
import { host, listener, port, ready } from "../support/Arguments.ts"

export const Ready = Plugin.make("bench:ready", { ready: () => Effect.sync(ready) })

export const server = { host, listener, port }
