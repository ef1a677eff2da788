/**
 * How apps are served if nothing says otherwise. The project's own tests put another
 * module in the place of this one, to run on every codec and listener.
 */

/** Which codecs serve endpoints: those made of their schemas if they can be, or Effect's own. */
export const codec: "compiled" | "effect" = "compiled"

/** The listener of apps whose configuration names none. */
export const listener: "node" | "proxied" = "node"
