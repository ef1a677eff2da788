/** What both tiers of Flange have: where they listen, and that they say so. */
import * as Effect from "effect/Effect"
import { Plugin } from "../../../src/index.ts"
import { host, listener, port, ready } from "../support/Arguments.ts"

export const Ready = Plugin.make("bench:ready", { ready: () => Effect.sync(ready) })

export const server = {
  host,
  port,
  // The node listener is the default; a tree without the key refuses it.
  ...(listener === "node" ? {} : { listener })
}
