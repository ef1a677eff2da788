/** Finds a template by its name: a built-in one, or the one that a package or a file exports. */
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import * as ChildProcess from "effect/process/ChildProcess"
import { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import { nearest } from "../../Config/Nearest.ts"
import type { CommandError } from "../../Plugin/Cli.ts"
import { sentenceOf, unusable } from "../Failure.ts"
import * as Output from "../Output.ts"
import * as BuiltIn from "./BuiltIn.ts"
import * as Template from "./Template.ts"

const isBuiltIn = (name: string): name is keyof typeof BuiltIn.templates =>
  Object.hasOwn(BuiltIn.templates, name)

/** A program that prints the URL that an import in the working directory means. */
const resolver = "process.stdout.write(import.meta.resolve(process.argv[1]))"

/**
 * Returns the URL of a package or a file, or undefined if there is none. A package is installed in the
 * working directory, or beside Flange: npx puts both into a folder of its own. Only a module in the
 * working directory can resolve what is there, so another process does.
 */
const resolved = (name: string): Effect.Effect<string | undefined, never, ChildProcessSpawner> =>
  Effect.gen(function* () {
    const spawner = yield* ChildProcessSpawner
    const args = ["--input-type=module", "--eval", resolver, name]
    const here = yield* spawner.string(ChildProcess.make(process.execPath, args))
    if (here !== "") return here
    return yield* Effect.try({ catch: () => undefined, try: () => import.meta.resolve(name) })
  }).pipe(Effect.orElseSucceed(() => undefined))

const missing = (name: string) => {
  const names = Object.keys(BuiltIn.templates)
  const near = nearest(name, names)
  const advice =
    near === undefined
      ? `Install it here, or name it for npx: npx --package ${name} --package flange flange new`
      : `Did you mean "${near}"?`
  return unusable(
    `There is no template "${name}": flange has ${names.join(", ")}, and no package of this name can be imported in ${process.cwd()} or beside flange. ${advice}`
  )
}

/** Loads a template. Fails with `CommandError` if there is none of this name. */
export const load = (
  name: string
): Effect.Effect<Template.Template, CommandError, ChildProcessSpawner> =>
  Effect.gen(function* () {
    if (isBuiltIn(name)) return BuiltIn.templates[name]
    const url = yield* resolved(name)
    if (url === undefined) return yield* missing(name)
    const module: unknown = yield* Output.diverted(
      Effect.tryPromise({
        catch: (cause) =>
          unusable(`The template ${name} cannot be loaded: ${sentenceOf(cause)}`, cause),
        try: () => import(url)
      })
    )
    const template = hasProperty(module, "template") ? module.template : undefined
    if (Template.isTemplate(template)) return template
    return yield* unusable(
      `${name} has no template: it has to export one as \`template\`, made with Template.make of flange/Cli`
    )
  })
