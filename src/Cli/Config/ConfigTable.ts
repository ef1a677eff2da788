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
  /** Whether every client may read it at `publicEndpoint`. */
  readonly public: boolean
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
  /** The endpoint that serves the public keys; null if the app has none. */
  readonly publicEndpoint: string | null
  readonly warnings: ReadonlyArray<string>
}

/** Returns the configuration as data. */
export const report = (inspected: Inspected, publicEndpoint: string | null): Report => ({
  environment: inspected.environment,
  keys: inspected.keys.flatMap((declared): ReadonlyArray<Row> => {
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
    const found = entriesAt(inspected, declared)
    if (found.length > 0) return found.map((entry) => ({ ...known, ...entry }))
    // The defaults of a section that is refused have no entries.
    const value = fallback === undefined ? null : JSON.stringify(fallback)
    const source = value === null ? null : "schema default"
    return [{ ...known, key: declared.key, overridden: [], source, value }]
  }),
  problems: inspected.problems,
  publicEndpoint,
  warnings: inspected.warnings
})

/** Returns the lines of the table, and how the public keys are served if there are any. */
export const lines = ({ keys, publicEndpoint }: Report): ReadonlyArray<string> => {
  const table = TextTable.lines(
    ["KEY", "VALUE", "SOURCE", "PUBLIC"],
    keys.map((row) => [
      row.key,
      row.value ?? "-",
      row.source ?? "not set",
      row.public ? "yes" : "-"
    ])
  )
  if (!keys.some((row) => row.public)) return table
  const served =
    publicEndpoint === null
      ? "Nothing serves the public keys: add PublicConfig.plugin of flange/PublicConfig to the app."
      : `${publicEndpoint} serves the public keys.`
  return [...table, "", served]
}
