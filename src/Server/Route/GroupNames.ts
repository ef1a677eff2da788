/** Finds contracts that share a name. */
import type { AssemblyProblem } from "../../Plugin/Errors.ts"
import type * as Plugin from "../../Plugin/Plugin.ts"
import { isRoute } from "./Route.ts"

/** Returns a problem for each contract whose name an earlier one has. */
export const problems = (plugins: ReadonlyArray<Plugin.Any>): ReadonlyArray<AssemblyProblem> => {
  const owners = new Map<string, string>()
  return plugins.flatMap(({ id, manifest }) =>
    manifest.contributions.filter(isRoute).flatMap(({ group, name }): Array<AssemblyProblem> => {
      if (group === undefined) return []
      const owner = owners.get(name)
      owners.set(name, owner ?? id)
      if (owner === undefined) return []
      const whose = owner === id ? `twice in plugin "${id}"` : `in plugins "${owner}" and "${id}"`
      return [
        {
          kind: "DuplicateGroup",
          message: `Group "${name}" is ${whose}. The typed client and the OpenAPI document would have only one of them. Give the groups different names in HttpApiGroup.make, or put their endpoints into one.`,
          plugins: owner === id ? [id] : [owner, id]
        }
      ]
    })
  )
}
