/** Finds routes that would take the same requests. */
import type { AssemblyProblem } from "../../Plugin/Errors.ts"
import type * as Plugin from "../../Plugin/Plugin.ts"
import { isRoute } from "./Route.ts"

/** Returns a problem for each row that takes the same requests as a row before it. */
export const conflicts = (
  rows: ReadonlyArray<{
    readonly method: string
    readonly owner: string
    readonly path: string
    readonly plugin: string
  }>
): ReadonlyArray<AssemblyProblem> => {
  const seen = new Map<string, (typeof rows)[number]>()
  const problems: Array<AssemblyProblem> = []
  for (const row of rows) {
    const key = `${row.method} ${row.path.replace(/:[A-Za-z0-9_]+/g, ":")}`
    const other = seen.get(key)
    if (other === undefined) seen.set(key, row)
    else {
      problems.push({
        kind: "RouteConflict",
        message: `Route ${row.method} ${row.path} of ${row.owner} (plugin "${row.plugin}") takes the same requests as ${other.method} ${other.path} of ${other.owner} (plugin "${other.plugin}"). Change one of the paths, or give one group a prefix.`,
        plugins: [other.plugin, row.plugin]
      })
    }
  }
  return problems
}

/** Returns the conflicts between routes that are known before anything is acquired. */
export const declaredConflicts = (
  plugins: ReadonlyArray<Plugin.Any>
): ReadonlyArray<AssemblyProblem> =>
  conflicts(
    plugins.flatMap((plugin) =>
      plugin.manifest.contributions.filter(isRoute).flatMap((route) =>
        route.declared.map((row) => ({
          ...row,
          owner: `group "${route.name}"`,
          plugin: plugin.id
        }))
      )
    )
  )
