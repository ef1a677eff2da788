/** The header lines of a reply in the form that `Response` reads fastest. */

/** Names in lower case and values. */
export type Fields = Record<string, string>

/** The key of the fields in a route's list of constant headers. */
const fieldsKey = Symbol("flange/ReplyFields")

interface Prepared {
  [fieldsKey]?: Fields | undefined
}

/**
 * Returns the headers of a reply: its own lines and those of its route, names and values in turn, and
 * `more`. They are a record, or a list of pairs if two lines have one name.
 */
export const of = (
  own: ReadonlyArray<string>,
  constant: Prepared & ReadonlyArray<string>,
  more: Readonly<Fields>
): Array<[string, string]> | Fields => {
  const route = (constant[fieldsKey] ??= recordOf({}, constant))
  const fields = route && recordOf({ ...more, ...route }, own)
  return fields ?? [...pairs(own), ...pairs(constant), ...Object.entries(more)]
}

/** Adds lines to a record. Returns undefined if two lines have one name. */
const recordOf = (fields: Fields, lines: ReadonlyArray<string>): Fields | undefined => {
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i]!
    if (fields[name] !== undefined) return undefined
    fields[name] = lines[i + 1]!
  }
  return fields
}

function* pairs(lines: ReadonlyArray<string>): Generator<[string, string]> {
  for (let i = 0; i < lines.length; i += 2) yield [lines[i]!, lines[i + 1]!]
}
