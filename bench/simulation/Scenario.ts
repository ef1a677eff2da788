import { markdown } from "./Markdown.ts"
import type { Figures } from "./model/Recorder.ts"
/** What a scenario is, and how its results are printed. */
import type { World } from "./model/World.ts"

export interface Options {
  /** Default: what the scenario has. */
  readonly replicas: number | undefined
  readonly seed: number
}

/** A variant of a scenario, with its figures. */
export interface Row {
  readonly figures: Readonly<Record<string, number | undefined>>
  readonly name: string
}

export interface Result {
  /** What must hold, and whether it does. */
  readonly claims: ReadonlyArray<{ readonly holds: boolean; readonly text: string }>
  /** Events of all variants. */
  readonly events: number
  readonly rows: ReadonlyArray<Row>
}

export interface Scenario {
  readonly about: string
  readonly name: string
  readonly run: (options: Options) => Result
}

/** Returns the columns that every scenario with requests has. */
export const figures = (
  world: World,
  { errors, goodput, offered, p50, p99 }: Figures
): Readonly<Record<string, number>> => ({
  "offered/s": offered,
  "goodput/s": goodput,
  "p50 ms": p50,
  "p99 ms": p99,
  errors,
  "DB connections": world.database.peak
})

export const claim = (text: string, holds: boolean) => ({ holds, text })

/** Returns a figure of a row. Throws if the row does not have it: a claim would compare with undefined. */
export const of = (rows: ReadonlyArray<Row>, name: string, figure: string): number => {
  const value = rows.find((row) => row.name === name)?.figures[figure]
  if (value === undefined) throw new Error(`No figure "${figure}" of the row "${name}"`)
  return value
}

export const format = (value: number | undefined): string => {
  if (value === undefined || value === Infinity) return "never"
  if (value === 0 || Math.abs(value) >= 100) return String(Math.round(value))
  return value.toPrecision(value < 1 ? 2 : 3)
}

/** Returns the figures of a scenario as a table. */
export const tableOf = ({ rows }: Result): string => {
  const titles = Object.keys(rows[0]!.figures)
  return markdown(
    ["", ...titles],
    rows.map((row) => [row.name, ...titles.map((title) => format(row.figures[title]))])
  )
}

export const print = ({ about, name }: Scenario, result: Result): string => {
  const { claims, events } = result
  return [
    `## ${name}: ${about}`,
    "",
    tableOf(result),
    "",
    ...claims.map(({ holds, text }) => `- ${holds ? "holds" : "DOES NOT HOLD"}: ${text}`),
    `- ${events} events`,
    ""
  ].join("\n")
}
