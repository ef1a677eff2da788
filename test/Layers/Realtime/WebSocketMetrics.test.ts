/** The metrics of channels. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { App } from "flange"
import * as Metrics from "flange/Metrics"
import * as Realtime from "flange/Realtime"
import { ChannelClient } from "flange/Realtime/Contract"
import { TestApp } from "flange/Testing"
import { reading, until } from "./readings.ts"
import { plugin, Seen, Waits } from "./WebSocketRig.ts"

describe("flange.websocket.connections", () => {
  it.live("counts open connections, and no closed ones whose handlers still run", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const seen = new Seen()
        const app = App.make("rooms", [Metrics.plugin, Realtime.webSockets, plugin(seen)])
        const config = { webSocket: { closeTimeout: "10 minutes" } }
        const shop = yield* TestApp.listening(app, { config })
        // The drain waits for the handler.
        yield* Effect.addFinalizer(() => Deferred.succeed(seen.door, undefined))
        const opened = reading(shop, "flange.websocket.connections")
        const connected = Effect.gen(function* () {
          const params = { room: 7 }
          yield* ChannelClient.connect(Waits, { params, query: {}, url: shop.url })
          yield* until(Effect.map(opened, (count) => count === 1))
        })
        yield* Effect.scoped(connected)
        const closed = reading(shop, "flange.websocket.closed")
        yield* until(Effect.map(closed, (count) => count === 1))
        assert.strictEqual(yield* opened, 0)
        assert.strictEqual(seen.interrupted, 0)
      })
    )
  )
})
