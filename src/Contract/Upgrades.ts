/** Endpoints whose handlers upgrade the connection, as part of their contract. */
import * as Context from "effect/Context"

/**
 * The annotation of an endpoint whose handler upgrades the connection to a WebSocket. The server
 * passes handshakes to such endpoints only.
 */
export class Upgrades extends Context.Service<Upgrades, boolean>()("flange/Upgrades") {}
