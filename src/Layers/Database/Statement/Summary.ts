/** What the text of a statement says in short, read without a parser. */
import { codeOf, type Dialect, replaceOpaque } from "../SqlText.ts"

/** The short form of a statement. */
export interface Summary {
  /** The operation and the table, such as `SELECT items`. It is the name of the span. */
  readonly name: string
  /** The first word in upper case; undefined if the text begins with none. */
  readonly operation: string | undefined
  /** Whether a comment can follow the text. */
  readonly takesComment: boolean
  /** The first table; undefined if it is not known. */
  readonly target: string | undefined
  /** The text with `?` in place of quoted values. */
  readonly text: string
}

/** The longest text that a span has, in UTF-16 units. */
const longest = 4000

const identifier = '(?:"(?:[^"]|"")+"|`(?:[^`]|``)+`|[\\w$\\u0080-\\uffff]+)'

const table = `(${identifier}(?:\\.${identifier})*)`

const targets: ReadonlyMap<string, RegExp> = new Map(
  Object.entries({
    CALL: `^\\s*call\\s+${table}`,
    DELETE: `\\bfrom\\s+(?:only\\s+)?${table}`,
    INSERT: `\\binto\\s+${table}`,
    MERGE: `\\binto\\s+(?:only\\s+)?${table}`,
    REPLACE: `\\binto\\s+${table}`,
    SELECT: `\\bfrom\\s+(?:only\\s+)?${table}`,
    TRUNCATE: `^\\s*truncate\\s+(?:table\\s+)?(?:only\\s+)?${table}`,
    UPDATE: `^\\s*update\\s+(?:only\\s+)?${table}`
  }).map(([operation, pattern]) => [operation, new RegExp(pattern, "i")])
)

/** The longest name of a table. Longer ones are not names. */
const longestName = 128

const nameOf = (found: string | undefined): string | undefined =>
  found === undefined || found.length > longestName ? undefined : found.replace(/["`]/g, "")

/** Returns a text with `?` in place of its quoted values. `"` quotes a value on MySQL only. */
const withoutValues = (sql: string, dialect: Dialect): string => {
  const values = dialect === "pg" ? "'$" : `'"`
  // A quote inside a comment or a name begins no value.
  return replaceOpaque(sql, dialect, (part) => (values.includes(part[0]!) ? "?" : part))
}

const read = (sql: string, dialect: Dialect): Summary => {
  const hasComment = /--|\/\*|#/.test(sql)
  const code = hasComment ? codeOf(sql, dialect) : sql
  const operation = /^[\s(]*([a-z]+)/i.exec(code)?.[1]?.toUpperCase()
  const target =
    operation === undefined ? undefined : nameOf(targets.get(operation)?.exec(code)?.[1])
  const text = withoutValues(sql, dialect)
  return {
    name: target === undefined ? (operation ?? "SQL") : `${operation} ${target}`,
    operation,
    takesComment: !hasComment && !/;\s*$/.test(sql) && sql.trim() !== "",
    target,
    text: text.length > longest ? `${text.slice(0, longest)}...` : text
  }
}

/** Texts that were read before. An app has few, unless lists of values make them differ. */
const known: Readonly<Record<Dialect, Map<string, Summary>>> = { mysql: new Map(), pg: new Map() }
const maxKnown = 1000

/** Returns the short form of a text. */
export const of = (sql: string, dialect: Dialect): Summary => {
  const all = known[dialect]
  const before = all.get(sql)
  if (before !== undefined) return before
  const made = read(sql, dialect)
  if (sql.length > longest) return made
  if (all.size >= maxKnown) all.clear()
  all.set(sql, made)
  return made
}
