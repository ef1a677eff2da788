/** Finds jobs that cannot run, before anything is acquired. */
import * as Contribution from "../../Plugin/Contribution.ts"
import type { AssemblyProblem } from "../../Plugin/Errors.ts"
import type * as PluginCheck from "../../Plugin/PluginCheck.ts"
import { type Description, kind } from "./Job.ts"

/** Creates the check of an app. `hasDatabase`: its runner has a database. */
export const make =
  (hasDatabase: boolean): PluginCheck.Check =>
  ({ plugins }) => {
    const jobs = plugins.flatMap((plugin) =>
      plugin.manifest.contributions
        .filter(Contribution.isOpen)
        .filter((each) => each.kind === kind.name)
        // Only `Job` makes contributions of this kind.
        .map((each) => ({ data: each.data as Description, id: plugin.id, name: each.name }))
    )
    const problem = (message: string, ...ids: ReadonlyArray<string>): AssemblyProblem => ({
      kind: "InvalidJob",
      message,
      plugins: [...new Set(ids)]
    })
    return jobs.flatMap(({ data, id, name }, index) => {
      const other = jobs.slice(0, index).find((each) => each.name === name)
      return [
        ...(data.problem === undefined
          ? []
          : [problem(`The job "${name}" of "${id}" cannot run: ${data.problem}`, id)]),
        ...(other === undefined
          ? []
          : [
              problem(
                `The job "${name}" of "${id}" has the name of one of "${other.id}": give it another name, such as "${id.split(":").at(-1)}:${name}".`,
                other.id,
                id
              )
            ]),
        ...(data.transaction && !hasDatabase
          ? [
              problem(
                `The job "${name}" of "${id}" has \`transaction\`, and Jobs.plugin has no database: list Jobs.withCluster in its place, or remove the option.`,
                id
              )
            ]
          : [])
      ]
    })
  }
