/** Checks that a plugin adds to the assemble phase. */
import type * as HttpApi from "effect/http-api/HttpApi"
import * as Contribution from "./Contribution.ts"
import type { AssemblyProblem } from "./Errors.ts"
import type * as Plugin from "./Plugin.ts"

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
