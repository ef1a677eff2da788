/** The configuration of an app as a table. */
import type { Problem } from "../../Config/ConfigError.ts"
import type { Overridden } from "../../Config/Resolved.ts"
import * as TextTable from "../../Server/TextTable.ts"
import { entriesAt, type Inspected } from "./Inspected.ts"

/** One value, or a key that is not set. */
export interface Row {
  /** The default of the schema as in a file. */
  readonly default?: unknown
  readonly description?: string | undefined
  /** A description of the values that the key takes; undefined below a key that takes any object. */
  readonly expected: string
  readonly key: string
  readonly overridden: ReadonlyArray<Overridden>
  readonly required: boolean
  readonly secret: boolean
  /** Where the value is; null if the key is not set. */
  readonly source: string | null
  /** The value as text, `<redacted>` for a secret; null if the key is not set. */
  readonly value: string | null
  readonly variables: ReadonlyArray<string>
}

/** The configuration of an app as data. */
export interface Report {
  readonly environment: string
  readonly keys: ReadonlyArray<Row>
  readonly problems: ReadonlyArray<Problem>
  readonly warnings: ReadonlyArray<string>
}

/** Returns the configuration as data. */
export const report = (inspected: Inspected): Report => ({
  environment: inspected.environment,
  keys: inspected.keys.flatMap((declared): ReadonlyArray<Row> => {
    const { default: fallback, description, expected, isRequired, isSecret, variables } = declared
    const known = {
      default: fallback,
      description,
      expected,
      required: isRequired,
      secret: isSecret,
      variables
    }
    const found = entriesAt(inspected, declared)
    if (found.length > 0) return found.map((entry) => ({ ...known, ...entry }))
    // The defaults of a section that is refused have no entries.
    const value = fallback === undefined ? null : JSON.stringify(fallback)
    const source = value === null ? null : "schema default"
    return [{ ...known, key: declared.key, overridden: [], source, value }]
  }),
  problems: inspected.problems,
  warnings: inspected.warnings
})

/** Returns the lines of the table. */
export const lines = ({ keys }: Report): ReadonlyArray<string> =>
  TextTable.lines(
    ["KEY", "VALUE", "SOURCE"],
    keys.map(({ key, source, value }) => [key, value ?? "-", source ?? "not set"])
  )
