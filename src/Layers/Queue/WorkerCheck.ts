/** Finds queues with several workers in one app. */
import * as Contribution from "../../Plugin/Contribution.ts"
import type { AssemblyProblem } from "../../Plugin/Errors.ts"
import type * as PluginCheck from "../../Plugin/PluginCheck.ts"
import { kind } from "./Queue.ts"

/** The check of an app. */
export const check: PluginCheck.Check = ({ plugins }) => {
  const owners = new Map<string, Array<string>>()
  for (const { id, manifest } of plugins) {
    for (const contribution of manifest.contributions) {
      if (contribution.kind !== kind.name || !Contribution.isOpen(contribution)) continue
      const found = owners.get(contribution.name)
      if (found === undefined) owners.set(contribution.name, [id])
      else found.push(id)
    }
  }
  return [...owners].flatMap(([name, ids]): ReadonlyArray<AssemblyProblem> =>
    ids.length < 2
      ? []
      : [
          {
            kind: "RepeatedWorker",
            message: `The queue "${name}" has ${ids.length} workers, in ${ids.map((id) => `"${id}"`).join(", ")}: an item would go to any of them. Keep one, or give the queues different names.`,
            plugins: [...new Set(ids)]
          }
        ]
  )
}
