/** What both tiers of Flange have: where they listen, and that they say so. */
import * as Effect from "effect/Effect"
import { Plugin } from "../../../src/index.ts"
import { ServerConfig } from "../../../src/Server/ServerConfig.ts"
import { host, listener, port, ready } from "../support/Arguments.ts"

export const Ready = Plugin.make("bench:ready", { ready: () => Effect.sync(ready) })

// Where the key is unknown the node listener would answer instead, and be measured as another.
const { fields = {} } = ServerConfig.schema as { readonly fields?: object }
if (listener !== "node" && !("listener" in fields)) {
  throw new Error("This tree has no configuration key server.listener yet")
}

export const server = { host, port, ...(listener === "node" ? {} : { listener }) }
