/** Makes an app say whether its writes run in transactions. */
import type { AssemblyProblem } from "../../../Plugin/Errors.ts"
import * as Plugin from "../../../Plugin/Plugin.ts"
import type * as PluginCheck from "../../../Plugin/PluginCheck.ts"
import { named } from "../../../Server/Route/Claim.ts"
import * as Declared from "../../../Server/Route/Declared.ts"
import { nearest, transactionalId } from "./Transactional.ts"

/**
 * The choice of an app without `Database.transactional()`: each statement of a handler commits
 * by itself. Endpoints and groups with the annotation `Database.Transactional` still have a
 * transaction, and `sql.withTransaction` opens one.
 *
 * An app with `Database.plugin` and an endpoint that writes (another method than GET, HEAD and
 * OPTIONS, without the annotation) needs one of the two. Without this rule, an app that forgot its
 * transactions would keep half of the changes of a request that fails halfway.
 *
 * @example
 * ```ts
 * import { App } from "flange"
 * import * as Database from "flange/Database"
 *
 * const app = App.make("collector", [Database.plugin, Database.autocommit])
 * app.id // => "collector"
 * ```
 */
export const autocommit = Plugin.make("flange:autocommit", {})

const reads: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"])

/** How many endpoints a message names. */
const mostNamed = 3

const problem = (message: string): ReadonlyArray<AssemblyProblem> => [
  { kind: "UndecidedTransaction", message, plugins: ["flange:database"] }
]

/** Finds apps that choose no way to write, or both. */
export const check: PluginCheck.Check = ({ plugins }) => {
  const isChosen = (chosen: string) => plugins.some(({ id }) => id === chosen)
  const isAutocommit = isChosen(autocommit.id)
  if (isChosen(transactionalId)) {
    return isAutocommit
      ? problem(
          "The app has both Database.transactional() and Database.autocommit. Remove the one that does not hold for its endpoints by default."
        )
      : []
  }
  if (isAutocommit) return []
  const undecided = Declared.groupsOf(plugins)
    // Bare groups have no transaction.
    .filter(({ access }) => access.type !== "bare")
    .flatMap(({ contract, endpoints }) =>
      endpoints.filter(
        ({ endpoint, method }) =>
          !reads.has(method) && nearest({ contract, endpoint }) === undefined
      )
    )
  if (undecided.length === 0) return []
  const names = undecided.slice(0, mostNamed).map(named)
  const more = undecided.length - names.length
  return problem(
    `Nothing says whether these endpoints run in a transaction: ${names.join(", ")}${more === 0 ? "" : `, and ${more} more`}. Add Database.transactional() to the plugins of the app, or Database.autocommit if each statement is to commit by itself.`
  )
}
