/**
 * The codec and the listener of an app that does not choose. The project's own tests
 * replace this module to run on every codec and listener.
 */

/**
 * `compiled`: an endpoint has the compiled codec if it can. `effect`: every endpoint has
 * Effect's own codec.
 */
export const codec: "compiled" | "effect" = "compiled"

/** Whether an app whose configuration does not set `server.h2c` takes HTTP/2 without TLS. */
export const h2c: boolean = false

/** The listener of an app whose configuration does not set `server.listener`. */
export const listener: "auto" | "node" | "proxied" = "auto"
