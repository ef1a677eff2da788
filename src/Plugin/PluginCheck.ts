/** Checks that a plugin adds to the assemble phase. */
import type * as HttpApi from "effect/http-api/HttpApi"
import * as Contribution from "./Contribution.ts"
import type { AssemblyProblem } from "./Errors.ts"
import type * as Plugin from "./Plugin.ts"
import type { Role } from "./Role.ts"

/** An app that is being assembled. Nothing is configured or acquired yet. */
export interface Assembled {
  /** The contract of all the groups, the same object as in `AppRuntime`. */
  readonly api: HttpApi.Top
  readonly plugins: ReadonlyArray<Plugin.Any>
}

/** Returns what is wrong with an app. */
export type Check = (app: Assembled) => ReadonlyArray<AssemblyProblem>

/** The kind of contribution that holds a check. */
export const kind = Contribution.kind<Check>()("flange/check")

/** Returns the problems that the checks of the plugins find. */
export const problems = (app: Assembled): ReadonlyArray<AssemblyProblem> =>
  app.plugins
    .flatMap(({ manifest }) => manifest.contributions)
    .filter(Contribution.isOpen)
    .filter((contribution) => contribution.kind === kind.name)
    // Contributions of a kind are made by the kind, which holds their types.
    .flatMap(({ data }) => (data as Check)(app))

/**
 * Creates a check that finds contributions of a kind with the same name, in one plugin or in several.
 * `messageOf` gets the name and the ids of their plugins, one for each contribution, in quotes.
 */
export const unique =
  (
    kind: string,
    problem: AssemblyProblem["kind"],
    messageOf: (name: string, owners: string) => string
  ): Check =>
  ({ plugins }) => {
    const owners = new Map<string, Array<string>>()
    for (const { id, manifest } of plugins) {
      for (const contribution of manifest.contributions) {
        if (contribution.kind !== kind || !Contribution.isOpen(contribution)) continue
        owners.set(contribution.name, [...(owners.get(contribution.name) ?? []), id])
      }
    }
    return [...owners]
      .filter(([, ids]) => ids.length > 1)
      .map(([name, ids]) => ({
        kind: problem,
        message: messageOf(name, [...new Set(ids)].map((id) => `"${id}"`).join(", ")),
        plugins: [...new Set(ids)]
      }))
  }

/**
 * Creates a check that finds contributions of a kind that `Role.assign` has taken from the only role whose processes
 * carry them out.
 */
export const carriedOutBy =
  (kind: string, role: Role): Check =>
  ({ plugins }) =>
    plugins.flatMap(({ id, manifest }) =>
      manifest.contributions.flatMap(({ kind: own, name, roles }) =>
        own !== kind || roles === undefined || roles.includes(role)
          ? []
          : [
              {
                kind: "UnfitRole",
                message: `The ${kind} "${name}" of "${id}" is assigned to ${roles.map((each) => `"${each}"`).join(" and ")}, and only processes with the role "${role}" carry it out: remove Role.assign, or add "${role}".`,
                plugins: [id]
              }
            ]
      )
    )
