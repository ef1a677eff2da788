/** Adds a generated plugin to the list of the app. */
import { posix } from "node:path"
import * as Effect from "effect/Effect"
import { CommandError } from "../../Plugin/Cli.ts"
import * as AppSource from "./AppSource.ts"
import { importOf } from "./Crud.ts"
import * as Plan from "./Plan.ts"
import * as Syntax from "./Syntax.ts"

/** What a generator wants to write. */
export interface Generated {
  /** Sentences about what was chosen, and about what the app still lacks. */
  readonly notes: ReadonlyArray<string>
  readonly plan: Plan.Plan
  /** What has to be written by hand, because no list was found to which a line could be added. */
  readonly unwired: string | undefined
}

/** A plugin that was generated. */
export interface Plugin {
  /** The path of its file. */
  readonly file: string
  readonly name: string
  /** Whether it has endpoints that write. */
  readonly writes: boolean
}

/** Returns the elements for the list, and what has to be added by hand. */
const elementsFor = (app: AppSource.AppSource, { name, writes }: Plugin) => {
  const none = { elements: [name], notes: [] }
  if (!writes || !app.hasDatabase || app.hasTransactions) return none
  const database = Syntax.importsOf(app.module).find(
    ({ imported, source }) => imported === "*" && source === "flange/Database"
  )
  return database === undefined
    ? {
        ...none,
        notes: [
          `Nothing says whether the endpoints run in a transaction, so the app cannot be assembled: add Database.transactional() to its plugins`
        ]
      }
    : { ...none, elements: [`${database.local}.transactional()`, name] }
}

/** Returns the plan that creates files and adds their plugin to the app. */
export const generated = (
  app: AppSource.AppSource,
  creates: Readonly<Record<string, string>>,
  plugin: Plugin,
  notes: ReadonlyArray<string>
): Effect.Effect<Generated, CommandError> =>
  Effect.gen(function* () {
    const { file, module } = app
    const { name } = plugin
    yield* Plan.check(creates)
    const isTaken =
      Syntax.importsOf(module).some(({ local }) => local === name) ||
      Syntax.constants(module).has(name)
    if (isTaken) {
      return yield* new CommandError({
        exitCode: 2,
        reason: `${file} has the name ${name} already, so nothing was written. Choose another name`
      })
    }
    const { elements, notes: lacks } = elementsFor(app, plugin)
    const source = importOf(plugin.file, posix.dirname(file))
    const edited = AppSource.wired(app, { elements, plugin: { name, source } })
    return {
      notes: [...notes, ...lacks],
      plan: { creates, edits: edited === undefined ? {} : { [file]: edited } },
      unwired:
        edited === undefined
          ? `${file} has no list of plugins to which a line can be added. Add these lines yourself:\n  import { ${name} } from "${source}"\n  App.make("...", [..., ${elements.join(", ")}])`
          : undefined
    }
  })
