/** Header lines of replies: how lists of them are merged, and which cannot be sent. */

/**
 * Returns all header lines of a reply, names and values in turn. Lines of `set` replace
 * those of `own` with the same name, except cookies. Lines of `constant` are added if no
 * other line has their name. The values of `vary` are joined.
 */
export const merge = (
  own: ReadonlyArray<string>,
  set: ReadonlyArray<string>,
  constant: ReadonlyArray<string>
): Array<string> => {
  const named = new Map<string, string>()
  let vary = valueOf(own, "vary")
  for (let i = 0; i < set.length; i += 2) {
    const name = set[i]!
    const value = set[i + 1]!
    if (name === "vary") named.set(name, (vary = vary === undefined ? value : joined(vary, value)))
    else named.set(name, value)
  }
  const common = valueOf(constant, "vary")
  if (vary !== undefined && common !== undefined) named.set("vary", joined(vary, common))
  const lines: Array<string> = []
  for (let i = 0; i < own.length; i += 2) {
    if (own[i] === "set-cookie" || !named.has(own[i]!)) lines.push(own[i]!, own[i + 1]!)
  }
  for (const [name, value] of named) lines.push(name, value)
  const names = new Set(lines.filter((_, i) => i % 2 === 0))
  for (let i = 0; i < constant.length; i += 2) {
    if (!names.has(constant[i]!)) lines.push(constant[i]!, constant[i + 1]!)
  }
  return lines
}

/**
 * Whether a header frames the body. Only the listener writes such headers: with two of
 * them, a client could end the reply at the wrong byte. `name` is in lower case.
 */
export const isFraming = (name: string): boolean =>
  name === "content-length" || name === "transfer-encoding"

/** Returns header lines as a record; a later line of a name replaces an earlier one. */
export const toRecord = (lines: ReadonlyArray<string>): Record<string, string> => {
  const named: Record<string, string> = {}
  for (let i = 0; i < lines.length; i += 2) named[lines[i]!] = lines[i + 1]!
  return named
}

const valueOf = (lines: ReadonlyArray<string>, name: string): string | undefined => {
  for (let i = 0; i < lines.length; i += 2) if (lines[i] === name) return lines[i + 1]
  return undefined
}

/** Joins two lists of names. A name of both lists is in the result once. */
const joined = (before: string, more: string): string =>
  more.split(",").reduce((all, one) => {
    const name = one.trim()
    return all
      .split(",")
      .some((other) => ["*", name.toLowerCase()].includes(other.trim().toLowerCase()))
      ? all
      : `${all}, ${name}`
  }, before)

const name = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

const value = /^[\t\x20-\x7e\x80-\xff]*$/

/** Creates the error for a header name that is not an RFC 9110 token. */
export const badName = (field: string): TypeError =>
  new TypeError(`Field name ${JSON.stringify(field)} is not a token. Use letters, digits and "-".`)

/** Creates the error for a header value that cannot be sent. */
export const badValue = (field: string): TypeError =>
  new TypeError(
    `The value of field ${field} has a control character or one beyond Latin-1. Encode it, for example with encodeURIComponent.`
  )

/**
 * Returns the error for headers that cannot be sent; undefined if they can. Source: RFC
 * 9110, section 5.
 */
export const errorOf = (headers: Readonly<Record<string, string>>): TypeError | undefined => {
  for (const field in headers) {
    if (!name.test(field)) return badName(field)
    if (!value.test(headers[field]!)) return badValue(field)
  }
  return undefined
}
