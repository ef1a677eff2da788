/** The WebSocket half of the battery as a plugin. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AppConfig } from "../../Plugin/AppConfig.ts"
import * as Plugin from "../../Plugin/Plugin.ts"
import { WebSocketConfig } from "./WebSocketConfig.ts"
import * as WebSockets from "./WebSockets.ts"

/**
 * Provides `WebSockets`, which serves channels.
 *
 * - config: section `webSocket`
 * - drain: closes each connection with 1001 after `app.drainDelay`
 * - metrics: `flange.websocket.connections`, `.messages`, `.bytes` and `.closed`
 * - log: a line "WebSocket closed" for each connection, beside the access line of its handshake
 *
 * @example
 * ```ts
 * import { App } from "flange"
 * import * as Realtime from "flange/Realtime"
 *
 * const app = App.make("shop", [Realtime.webSockets], {
 *   config: { values: { webSocket: { maxSize: "16 KiB" } } }
 * })
 * App.describe(app).plugins[0]!.config // => ["app", "webSocket"]
 * ```
 */
export const webSockets = Plugin.make("flange:websockets", {
  config: [AppConfig, WebSocketConfig],
  drain: Effect.flatMap(WebSockets.WebSockets, ({ drain }) =>
    Effect.flatMap(AppConfig, ({ drainDelay }) => Effect.andThen(Effect.sleep(drainDelay), drain))
  ),
  layer: Layer.effect(
    WebSockets.WebSockets,
    Effect.flatMap(WebSocketConfig, (settings) => WebSockets.make(settings))
  ),
  provides: [WebSockets.WebSockets]
})
