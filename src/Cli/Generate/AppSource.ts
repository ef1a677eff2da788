/** The file of an app, read without running it: its list of plugins, and what is in the list. */
import { readFileSync } from "node:fs"
import { posix, relative, sep } from "node:path"
import * as Effect from "effect/Effect"
import type { Option } from "effect/Option"
import type { CallExpression, Expression, ModuleExportName } from "oxc-parser"
import type { CommandError } from "../../Plugin/Cli.ts"
import * as AppFile from "../AppFile.ts"
import { unusable } from "../Failure.ts"
import * as ImportEdit from "./ImportEdit.ts"
import * as ListEdit from "./ListEdit.ts"
import * as Syntax from "./Syntax.ts"

/** The folders of a project. Paths are relative to the working directory and have slashes. */
export interface Folders {
  /** The file of the app. */
  readonly file: string
  /** The folder of the file, which has the folders of the features. */
  readonly root: string
  /** The folder of the tests. */
  readonly tests: string
}

/** Finds the file of the app. Fails with `CommandError` if there is none below the working directory. */
export const folders = (named: Option<string>): Effect.Effect<Folders, CommandError> =>
  Effect.flatMap(AppFile.locate(named), (path) => {
    const file = relative(process.cwd(), path).split(sep).join("/")
    if (file.startsWith("../")) {
      return Effect.fail(
        unusable(
          `The file ${path} is not below ${process.cwd()}. Run flange in the folder of the project`
        )
      )
    }
    if (/["\\\p{Cc}]/u.test(file)) {
      return Effect.fail(
        unusable(`The path ${path} has quotes or other characters that an import cannot have`)
      )
    }
    const root = posix.dirname(file)
    const base = posix.basename(root) === "src" ? posix.dirname(root) : root
    return Effect.succeed({ file, root, tests: posix.join(base, "test") })
  })

/** An app as its file shows it. */
export interface AppSource extends Folders {
  /** The names of the chains of authentication, except `default`; undefined without authentication. */
  readonly chains: ReadonlyArray<string> | undefined
  /** The name of the export of the app; undefined if it is not exported. */
  readonly exportName: string | undefined
  readonly hasDatabase: boolean
  /** Whether the app says which endpoints run in a transaction. */
  readonly hasTransactions: boolean
  /** The id of the app, if it is a literal. */
  readonly id: string | undefined
  /** The list of its plugins, if it is in the file. */
  readonly list: ListEdit.List | undefined
  readonly module: Syntax.Module
}

/** A call of `App.make`, and the name under which the file exports the app. */
interface Made {
  readonly call: CallExpression
  readonly exportName: string | undefined
}

const nameOf = (node: ModuleExportName): string =>
  node.type === "Literal" ? node.value : node.name

/** Returns the exported names of the constants of a module; those without a name by their values. */
const exportsOf = (module: Syntax.Module): ReadonlyMap<Expression, string> => {
  const constants = Syntax.constants(module)
  const found = new Map<Expression, string>()
  const add = (local: string, exported: string) => {
    const value = constants.get(local)
    if (value !== undefined) found.set(Syntax.unwrapped(value), exported)
  }
  for (const statement of module.program.body) {
    if (statement.type === "ExportDefaultDeclaration") {
      // Classes and functions are no apps.
      const value = statement.declaration as Expression
      if (value.type === "Identifier") add(value.name, "default")
      else found.set(Syntax.unwrapped(value), "default")
    }
    if (statement.type !== "ExportNamedDeclaration") continue
    for (const { exported, local } of statement.specifiers) add(nameOf(local), nameOf(exported))
    if (statement.declaration?.type !== "VariableDeclaration") continue
    for (const { id } of statement.declaration.declarations) {
      if (id.type === "Identifier") add(id.name, id.name)
    }
  }
  return found
}

/** Returns the app of a module, as `flange` chooses it; undefined if there is none or it is unclear. */
const madeIn = (module: Syntax.Module): Made | undefined => {
  const exported = exportsOf(module)
  const all = Syntax.callsOf(module, "flange#App.make").map((call): Made => ({
    call,
    exportName: exported.get(call)
  }))
  const named = (name: string) => all.find(({ exportName }) => exportName === name)
  return named("app") ?? named("default") ?? (all.length === 1 ? all[0] : undefined)
}

const listOf = (module: Syntax.Module, call: CallExpression): ListEdit.List | undefined => {
  const argument = call.arguments[1]
  if (argument === undefined || argument.type === "SpreadElement") return undefined
  const array = Syntax.resolved(module, argument)
  return array.type === "ArrayExpression" ? ListEdit.ofArray(array) : undefined
}

const idOf = (module: Syntax.Module, call: CallExpression): string | undefined => {
  const [argument] = call.arguments
  if (argument === undefined || argument.type === "SpreadElement") return undefined
  const id = Syntax.resolved(module, argument)
  return id.type === "Literal" && typeof id.value === "string" ? id.value : undefined
}

/** Returns the names of the chains in a call of `Auth.plugin`. */
const chainsIn = ({ arguments: [options] }: CallExpression): ReadonlyArray<string> => {
  if (options?.type !== "ObjectExpression") return []
  const chains = options.properties.find(
    (property) =>
      property.type === "Property" &&
      property.key.type === "Identifier" &&
      property.key.name === "chains"
  )
  if (chains?.type !== "Property" || chains.value.type !== "ObjectExpression") return []
  return chains.value.properties.flatMap((property) =>
    property.type !== "Property"
      ? []
      : property.key.type === "Identifier"
        ? [property.key.name]
        : property.key.type === "Literal"
          ? [String(property.key.value)]
          : []
  )
}

/** Reads the file of the app. Nothing is imported, and the file may have errors of types. */
export const read = (
  parse: Syntax.Parse,
  { file, root, tests }: Folders
): Effect.Effect<AppSource, CommandError> =>
  Syntax.parsing(() => {
    const module = parse(file, readFileSync(file, "utf8"))
    const all = [module, ...Syntax.importedBy(parse, module)]
    const made = madeIn(module)
    const auth = all.flatMap((each) => Syntax.callsOf(each, "flange/Auth#plugin"))
    const uses = (path: string) => all.some((each) => Syntax.uses(each, `flange/Database#${path}`))
    return {
      chains: auth.length === 0 ? undefined : [...new Set(auth.flatMap(chainsIn))].sort(),
      exportName: made?.exportName,
      file,
      hasDatabase: uses("plugin"),
      hasTransactions: uses("transactional") || uses("autocommit"),
      id: made && idOf(module, made.call),
      list: made && listOf(module, made.call),
      module,
      root,
      tests
    }
  })

/** What to add to an app. */
export interface Addition {
  /** The elements of the list. */
  readonly elements: ReadonlyArray<string>
  /** The name of a plugin, and the path of its module from the file of the app. */
  readonly plugin: { readonly name: string; readonly source: string }
}

/** Returns the text of the file with a plugin; undefined if there is no list of plugins in it. */
export const wired = (
  { list, module }: AppSource,
  { elements, plugin }: Addition
): string | undefined =>
  list &&
  Syntax.edited(module.text, [
    ImportEdit.add(module, plugin.name, plugin.source),
    ListEdit.append(module, list, elements)
  ])
