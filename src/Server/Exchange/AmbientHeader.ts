/** The headers in which browsers send credentials by themselves. */

/** The schemes whose credentials browsers store and send again by themselves. */
const stored: ReadonlySet<string> = new Set(["basic", "digest", "negotiate", "ntlm"])

/**
 * Checks whether browsers add a header with credentials by themselves. `name` is in lower case, as is
 * `scheme`, the scheme of an `Authorization` header; undefined for any.
 */
export const isAmbient = (name: string, scheme: string | undefined): boolean =>
  name === "cookie" || (name === "authorization" && (scheme === undefined || stored.has(scheme)))
