/** The configuration of an app as data: every key with its value and where it comes from. */
import type { Entry, Overridden } from "../Resolved.ts"
import { type AnySection, compile } from "../Section.ts"
import { type Key, keysOfSection } from "./Keys.ts"

/** One value, or a key that is not set. */
export interface Row {
  /** The default of the schema as in a file. */
  readonly default?: unknown
  readonly description?: string | undefined
  /** A description of the values that the key takes; undefined below a key that takes any object. */
  readonly expected: string
  readonly key: string
  readonly overridden: ReadonlyArray<Overridden>
  /** Whether every client may read it. */
  readonly public: boolean
  readonly required: boolean
  readonly secret: boolean
  /** Where the value is; null if the key is not set. */
  readonly source: string | null
  /** The value as text, `<redacted>` for a secret; null if the key is not set. */
  readonly value: string | null
  readonly variables: ReadonlyArray<string>
}

/** The configuration of a running app. */
export interface Configuration {
  readonly environment: string
  readonly keys: ReadonlyArray<Row>
  readonly warnings: ReadonlyArray<string>
}

/** Returns the keys that sections declare, sorted. */
export const keysOf = (sections: ReadonlyArray<AnySection>): ReadonlyArray<Key> =>
  compile(sections)
    .compiled.flatMap(keysOfSection)
    .sort((a, b) => (a.key < b.key ? -1 : 1))

/** Returns the values of a key: several if it is a record, none if it is not set. */
export const entriesAt = (entries: ReadonlyArray<Entry>, { key }: Key): ReadonlyArray<Entry> =>
  entries.filter((entry) => entry.key === key || entry.key.startsWith(`${key}.`))

/** Returns a row for each value, and for each key that is not set. */
export const rows = (keys: ReadonlyArray<Key>, entries: ReadonlyArray<Entry>): ReadonlyArray<Row> =>
  keys.flatMap((declared): ReadonlyArray<Row> => {
    const { default: fallback, description, expected, isPublic, isRequired, isSecret } = declared
    const known = {
      default: fallback,
      description,
      expected,
      public: isPublic,
      required: isRequired,
      secret: isSecret,
      variables: declared.variables
    }
    const found = entriesAt(entries, declared)
    if (found.length > 0) return found.map((entry) => ({ ...known, ...entry }))
    // The defaults of a section that is refused have no entries.
    const value = fallback === undefined ? null : JSON.stringify(fallback)
    const source = value === null ? null : "schema default"
    return [{ ...known, key: declared.key, overridden: [], source, value }]
  })
