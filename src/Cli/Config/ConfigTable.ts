/** The configuration of an app as a table. */
import type { Problem } from "../../Config/ConfigError.ts"
import * as Report from "../../Config/Report/Report.ts"
import * as TextTable from "../../Server/TextTable.ts"
import type { Inspected } from "./Inspected.ts"

/** The configuration of an app as data. */
export interface Table {
  readonly environment: string
  readonly keys: ReadonlyArray<Report.Row>
  readonly problems: ReadonlyArray<Problem>
  /** The endpoint that serves the public keys; null if the app has none. */
  readonly publicEndpoint: string | null
  readonly warnings: ReadonlyArray<string>
}

/** Returns the configuration as data. */
export const report = (inspected: Inspected, publicEndpoint: string | null): Table => ({
  environment: inspected.environment,
  keys: Report.rows(inspected.keys, inspected.entries),
  problems: inspected.problems,
  publicEndpoint,
  warnings: inspected.warnings
})

/** Returns the lines of the table, and how the public keys are served if there are any. */
export const lines = ({ keys, publicEndpoint }: Table): ReadonlyArray<string> => {
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
