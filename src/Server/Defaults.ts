/**
 * The codec and the listener of an app that does not choose. The project's own tests
 * replace this module to run on every codec and listener.
 */

/**
 * Which codec serves an endpoint: the compiled one if the endpoint can have it, or Effect's
 * own.
 */
export const codec: "compiled" | "effect" = "compiled"

/** The listener of an app whose configuration does not set `server.listener`. */
export const listener: "node" | "proxied" = "node"
