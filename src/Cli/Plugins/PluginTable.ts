/** The plugins of an app as a table. */
import type { Description } from "../../App.ts"
import * as TextTable from "../../Server/TextTable.ts"

/** One plugin. */
export interface Row {
  /** How many contributions of each kind it has. */
  readonly contributions: Readonly<Record<string, number>>
  readonly id: string
  readonly provides: ReadonlyArray<string>
  readonly requires: ReadonlyArray<string>
  /** How many routes it has, besides those that are known after boot only. */
  readonly routes: number
  /** How long it took to acquire, in milliseconds, if it was measured. */
  readonly time?: number | undefined
}

/** Returns a row for each plugin, in their order. */
export const rows = (
  { plugins, routes }: Description,
  times: ReadonlyMap<string, number> | undefined
): ReadonlyArray<Row> =>
  plugins.map(({ contributions, id, provides, requires }) => {
    const kinds = Object.groupBy(contributions, ({ kind }) => kind)
    return {
      contributions: Object.fromEntries(
        Object.entries(kinds)
          .map(([kind, all]): [string, number] => [kind, all!.length])
          .sort(([a], [b]) => (a < b ? -1 : 1))
      ),
      id,
      provides,
      requires,
      routes: routes.filter(({ plugin }) => plugin === id).length,
      ...(times === undefined ? {} : { time: times.get(id) })
    }
  })

const list = (items: ReadonlyArray<string>): string => (items.length === 0 ? "-" : items.join(", "))

/** Returns the lines of the table. Actions and filled points count as contributions there. */
export const lines = (all: ReadonlyArray<Row>): ReadonlyArray<string> => {
  const isTimed = all.some(({ time }) => time !== undefined)
  const shown = (services: ReadonlyArray<string>) =>
    list(services.filter((service) => !service.startsWith("flange/Action/")))
  return TextTable.lines(
    ["PLUGIN", ...(isTimed ? ["TIME"] : []), "ROUTES", "REQUIRES", "PROVIDES", "CONTRIBUTES"],
    all.map(({ contributions, id, provides, requires, routes, time }) => [
      id,
      ...(isTimed ? [`${time ?? 0} ms`] : []),
      routes === 0 ? "-" : String(routes),
      shown(requires),
      shown(provides),
      list(
        Object.entries(contributions).map(([kind, count]) =>
          count === 1 ? kind : `${kind} (${count})`
        )
      )
    ])
  )
}
