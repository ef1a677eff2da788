/** How apps are served where nothing says it. */

/**
 * Internal, and read at boot only: the project's own tests change it, to run on
 * every lane and listener.
 */
export const defaults: {
  /** Whether endpoints take the compiled lane. */
  compile: boolean
  listener: "node" | "proxied"
} = { compile: true, listener: "node" }
