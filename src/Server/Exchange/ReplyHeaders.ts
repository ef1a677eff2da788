/** Header lines of replies: how lists of them are merged, and which cannot be sent. */
import * as Location from "../../Contract/Location.ts"

/** Lines that are set in front of a handler, names and values in turn. */
export interface Changes {
  /** Lines that are added to others of their name. */
  readonly added: ReadonlyArray<string>
  /** Lines that replace others of their name. */
  readonly set: ReadonlyArray<string>
}

/**
 * Returns all header lines of a reply, names and values in turn. `own` are those of the reply
 * itself. Lines of `changes.set` replace those of `own` with the same name, lines of
 * `changes.added` are added to them. Lines of `constant` are added if no other line has their
 * name, or if the header is a list.
 *
 * Values of one name are joined. Each cookie stays in a line of its own; those of the reply
 * itself are the last, because clients keep the last of two cookies with the same name.
 */
export const merge = (
  own: ReadonlyArray<string>,
  { added, set }: Changes,
  constant: ReadonlyArray<string>
): Array<string> => {
  const cookies: Array<string> = []
  const named = new Map<string, string>()
  const replaced = new Set(set.filter((_, i) => i % 2 === 0))
  const add = (name: string, value: string) => {
    const before = named.get(name)
    if (name === cookie) cookies.push(name, value)
    else named.set(name, before === undefined ? value : joined(name, before, value))
  }
  each(own, (name, value) => {
    if (name !== cookie && !replaced.has(name)) add(name, value)
  })
  each(set, (name, value) => named.set(name, value))
  each(constant, (name, value) => {
    if (isAdded(name) ? !replaced.has(name) : !named.has(name)) add(name, value)
  })
  each(added, add)
  each(own, (name, value) => {
    if (name === cookie) add(name, value)
  })
  return [...[...named].flat(), ...cookies]
}

/** Returns the value that a header has among the lines that `merge` returns; undefined for none. */
export const valueOf = (
  name: string,
  own: ReadonlyArray<string>,
  { added, set }: Changes,
  constant: ReadonlyArray<string>
): string | undefined => {
  let value: string | undefined
  const add = (lines: ReadonlyArray<string>): void => {
    for (let i = 0; i < lines.length; i += 2) {
      if (lines[i] !== name) continue
      value = value === undefined ? lines[i + 1]! : joined(name, value, lines[i + 1]!)
    }
  }
  const at = set.findLastIndex((text, i) => i % 2 === 0 && text === name)
  if (at === -1) add(own)
  else value = set[at + 1]!
  if (value === undefined || (isAdded(name) && at === -1)) add(constant)
  add(added)
  return value
}

/**
 * Returns constant headers of several writers, names and values in turn. The first one of a name
 * wins, and lists are joined.
 */
export const constants = (
  writers: ReadonlyArray<Readonly<Record<string, string>>>
): ReadonlyArray<string> =>
  writers.reduce<ReadonlyArray<string>>(
    (lines, headers) => merge(lines, noChanges, Object.entries(headers).flatMap(lowerCased)),
    []
  )

const lowerCased = ([name, value]: [string, string]) => [name.toLowerCase(), value]

const noChanges: Changes = { added: [], set: [] }

const cookie = "set-cookie"

const each = (lines: ReadonlyArray<string>, use: (name: string, value: string) => void): void => {
  for (let i = 0; i < lines.length; i += 2) use(lines[i]!, lines[i + 1]!)
}

/** Whether a header is a list to which all its writers add. `name` is in lower case. */
const isAdded = (name: string): boolean =>
  name === "link" || name === cookie || name === "vary" || name === "www-authenticate"

/**
 * Whether a header frames the body. Only the listener writes such headers: with two of
 * them, a client could end the reply at the wrong byte. `name` is in lower case.
 */
export const isFraming = (name: string): boolean =>
  name === "content-length" || name === "transfer-encoding"

/** Header lines as cookies and a record, which has one value for a name. */
export interface Split {
  readonly cookies: ReadonlyArray<string>
  /** A later line of a name replaces an earlier one. */
  readonly named: Readonly<Record<string, string>>
}

/** Splits header lines into cookies and a record of the others. */
export const split = (lines: ReadonlyArray<string>): Split => {
  const cookies: Array<string> = []
  const named: Record<string, string> = {}
  each(lines, (name, value) => {
    if (name === cookie) cookies.push(value)
    else named[name] = value
  })
  return { cookies, named }
}

// No cookie has a comma in its name or value, and dates have no `=` behind theirs.
const betweenCookies = /, (?=[!#$%&'*+.^_`|~0-9A-Za-z-]+=)/

/**
 * Returns the lines of a record of headers, names and values in turn, without those that frame
 * the body. Effect joins the cookies of a list, which only separate lines can hold.
 */
export const fromRecord = (headers: Readonly<Record<string, string>>): Array<string> => {
  const lines: Array<string> = []
  for (const name in headers) {
    const value = headers[name]!
    if (isFraming(name)) continue
    if (name !== cookie) lines.push(name, value)
    else for (const one of value.split(betweenCookies)) lines.push(name, one)
  }
  return lines
}

/** Encodes the address in `Location`, in place. */
export const encodeLocation = (lines: Array<string>): void => {
  for (let i = 0; i < lines.length; i += 2) {
    if (lines[i] === "location") lines[i + 1] = Location.encoded(lines[i + 1]!)
  }
}

/** Joins two values of a header. A name in both values of `vary` is in the result once. */
const joined = (name: string, before: string, more: string): string =>
  name === "vary"
    ? more.split(",").reduce((all, one) => {
        const field = one.trim()
        return all
          .split(",")
          .some((other) => ["*", field.toLowerCase()].includes(other.trim().toLowerCase()))
          ? all
          : `${all}, ${field}`
      }, before)
    : `${before}, ${more}`

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

const text = /^[\t\x20-\x7e\x80-\xff]*$/

/** Creates the error for a header name that is not an RFC 9110 token. */
export const badName = (field: string): TypeError =>
  new TypeError(`Field name ${JSON.stringify(field)} is not a token. Use letters, digits and "-".`)

/** Creates the error for a header value that cannot be sent. */
export const badValue = (field: string): TypeError =>
  new TypeError(
    `The value of field ${field} has a control character or one beyond Latin-1. Encode it, for example with encodeURIComponent.`
  )

/**
 * Returns the error for header lines that cannot be sent; undefined if they can. Source: RFC
 * 9110, section 5.
 */
export const errorOf = (lines: ReadonlyArray<string>): TypeError | undefined => {
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i]!
    if (!token.test(name)) return badName(name)
    if (!text.test(lines[i + 1]!)) return badValue(name)
  }
  return undefined
}

/** Returns the header lines that can be sent, names and values in turn. */
export const sendable = (lines: ReadonlyArray<string>): Array<string> =>
  lines.filter((_, i) => errorOf(lines.slice(i - (i % 2), i - (i % 2) + 2)) === undefined)
