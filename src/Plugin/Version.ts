/** The version of Flange. */

/** The version of Flange, as in its `package.json`. */
export const version = "0.1.0"
