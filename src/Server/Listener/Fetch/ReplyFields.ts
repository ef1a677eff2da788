/** The header lines of a reply in the form that `Response` reads fastest. */

/** Names in lower case and values. */
export type Fields = Record<string, string>

/**
 * Returns the headers of a reply: its own lines and those of its route, names and values in turn, and
 * those of `more` that the lines do not have. `connection` is a list, to which `more` adds. The headers are
 * a record, or a list of pairs if two lines have one name.
 */
export const of = (
  own: ReadonlyArray<string>,
  constant: ReadonlyArray<string>,
  more: Readonly<Fields> | undefined
): Array<[string, string]> | Fields => {
  const fields: Fields = more === undefined ? {} : { ...more }
  return add(fields, own) && add(fields, constant)
    ? fields
    : [
        ...pairs(own),
        ...pairs(constant),
        ...Object.entries(more ?? {}).filter(
          ([name]) => name === "connection" || !(has(own, name) || has(constant, name))
        )
      ]
}

const has = (lines: ReadonlyArray<string>, name: string): boolean =>
  lines.some((text, i) => i % 2 === 0 && text === name)

/** Adds lines to a record. Returns false if two lines have one name. */
const add = (fields: Fields, lines: ReadonlyArray<string>): boolean => {
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i]!
    if (fields[name] !== undefined) return false
    fields[name] = lines[i + 1]!
  }
  return true
}

/** Yields lines as pairs of name and value. */
export function* pairs(lines: ReadonlyArray<string>): Generator<[string, string]> {
  for (let i = 0; i < lines.length; i += 2) yield [lines[i]!, lines[i + 1]!]
}
