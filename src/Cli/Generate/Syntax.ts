/** Syntax trees of modules, and edits of their text. */
import { existsSync, readFileSync, statSync } from "node:fs"
import { extname, posix } from "node:path"
import * as Effect from "effect/Effect"
import type {
  CallExpression,
  Comment,
  Expression,
  MemberExpression,
  Program,
  Super
} from "oxc-parser"
import { CommandError } from "../../Plugin/Cli.ts"
import { sentenceOf } from "../Failure.ts"

/** A module that was read. */
export interface Module {
  readonly calls: ReadonlyArray<CallExpression>
  readonly comments: ReadonlyArray<Comment>
  readonly file: string
  readonly members: ReadonlyArray<MemberExpression>
  readonly program: Program
  readonly text: string
}

/** A text in the place of a range. */
export interface Edit {
  readonly end: number
  readonly start: number
  readonly text: string
}

/** A function that reads the syntax tree of a module. */
export type Parse = (file: string, text: string) => Module

/**
 * Loads the parser. Fails with `CommandError` if it is not installed. The parser throws an error with
 * the line if the module cannot be read because of its syntax.
 */
export const parser: Effect.Effect<Parse, CommandError> = Effect.map(
  Effect.tryPromise({
    catch: (cause) =>
      new CommandError({
        cause,
        exitCode: 2,
        reason:
          "oxc-parser is not installed, with which flange generate reads the file of the app. Run: npm install -D oxc-parser"
      }),
    try: () => import("oxc-parser")
  }),
  ({ parseSync, Visitor }) =>
    (file, text) => {
      const { comments, errors, program } = parseSync(file, text, { preserveParens: false })
      const [error] = errors
      if (error !== undefined && program.body.length === 0) {
        const line = text.slice(0, error.labels[0]?.start ?? 0).split("\n").length
        throw new Error(`The file ${file} cannot be read: ${error.message} (${file}:${line})`)
      }
      const calls: Array<CallExpression> = []
      const members: Array<MemberExpression> = []
      new Visitor({
        CallExpression: (node) => calls.push(node),
        MemberExpression: (node) => members.push(node)
      }).visit(program)
      return { calls, comments, file, members, program, text }
    }
)

/** Runs a function that parses modules. Fails with `CommandError` if one of them cannot be read. */
export const parsing = <A>(run: () => A): Effect.Effect<A, CommandError> =>
  Effect.try({
    catch: (cause) =>
      new CommandError({ cause, exitCode: 2, reason: `${sentenceOf(cause)}. Correct it first` }),
    try: run
  })

/** Returns the text with the edits, which do not overlap. The line ends are those of the text. */
export const edited = (text: string, edits: ReadonlyArray<Edit>): string => {
  const end = text.includes("\r\n") ? "\r\n" : "\n"
  return [...edits]
    .sort((a, b) => b.start - a.start)
    .reduce(
      (all, edit) =>
        all.slice(0, edit.start) + edit.text.replaceAll(/\r?\n/g, end) + all.slice(edit.end),
      text
    )
}

/** Returns the expression inside `as const`, `satisfies` and the like. */
export const unwrapped = (node: Expression): Expression =>
  node.type === "TSAsExpression" ||
  node.type === "TSSatisfiesExpression" ||
  node.type === "TSNonNullExpression" ||
  node.type === "TSTypeAssertion"
    ? unwrapped(node.expression)
    : node

/** Returns the declarations of constants and variables at the top level, by their names. */
export const constants = ({ program }: Module): ReadonlyMap<string, Expression> => {
  const found = new Map<string, Expression>()
  for (const statement of program.body) {
    const declaration =
      statement.type === "ExportNamedDeclaration" ? statement.declaration : statement
    if (declaration?.type !== "VariableDeclaration") continue
    for (const { id, init } of declaration.declarations) {
      if (id.type === "Identifier" && init !== null) found.set(id.name, init)
    }
  }
  return found
}

/** Returns the expression that an expression stands for: the value of a constant is followed. */
export const resolved = (module: Module, node: Expression): Expression => {
  const bare = unwrapped(node)
  const value = bare.type === "Identifier" ? constants(module).get(bare.name) : undefined
  return value === undefined ? bare : unwrapped(value)
}

/** An import of a module. */
export interface Import {
  /** The imported name, or `*`. */
  readonly imported: string
  readonly local: string
  readonly source: string
}

/** Returns the imports of a module, without those of types. */
export const importsOf = ({ program }: Module): ReadonlyArray<Import> =>
  program.body.flatMap((statement) =>
    statement.type !== "ImportDeclaration" || statement.importKind === "type"
      ? []
      : statement.specifiers.map((specifier): Import => {
          const { imported, local } =
            specifier.type === "ImportSpecifier"
              ? specifier
              : { imported: undefined, local: specifier.local }
          const name =
            imported === undefined
              ? specifier.type === "ImportDefaultSpecifier"
                ? "default"
                : "*"
              : imported.type === "Identifier"
                ? imported.name
                : imported.value
          return { imported: name, local: local.name, source: statement.source.value }
        })
  )

/** Returns the modules that a module imports or exports from, without those of types alone. */
export const sourcesOf = ({ program }: Module): ReadonlyArray<string> => [
  ...new Set(
    program.body.flatMap((statement) =>
      statement.type === "ImportDeclaration" && statement.importKind !== "type"
        ? [statement.source.value]
        : (statement.type === "ExportNamedDeclaration" ||
              statement.type === "ExportAllDeclaration") &&
            statement.exportKind !== "type" &&
            statement.source
          ? [statement.source.value]
          : []
    )
  )
]

/** Returns the modules of the project that a module imports or exports from. */
export const importedBy = (parse: Parse, module: Module): ReadonlyArray<Module> =>
  sourcesOf(module)
    .filter((source) => source.startsWith("."))
    .map((source) => posix.join(posix.dirname(module.file), source))
    .filter((file) => isModule(file) && existsSync(file) && statSync(file).isFile())
    .map((file) => parse(file, readFileSync(file, "utf8")))

/**
 * Returns the path of an expression on imports, such as `flange/Database#plugin` for
 * `Database.plugin`, or `flange#App.make`; undefined if it begins with another name.
 */
export const importedPath = (
  imports: ReadonlyArray<Import>,
  node: Expression | Super
): string | undefined => {
  if (node.type === "Identifier") {
    const found = imports.find(({ local }) => local === node.name)
    if (found === undefined) return undefined
    return found.imported === "*" ? `${found.source}#` : `${found.source}#${found.imported}`
  }
  if (node.type !== "MemberExpression" || node.property.type !== "Identifier" || node.computed) {
    return undefined
  }
  const before = importedPath(imports, node.object)
  if (before === undefined) return undefined
  return `${before}${before.endsWith("#") ? "" : "."}${node.property.name}`
}

/** Returns the calls of a path of an import. */
export const callsOf = (module: Module, path: string): ReadonlyArray<CallExpression> => {
  const imports = importsOf(module)
  return module.calls.filter(({ callee }) => importedPath(imports, callee) === path)
}

/** Whether a module imports or uses a path of an import. */
export const uses = (module: Module, path: string): boolean => {
  const imports = importsOf(module)
  return (
    imports.some(({ imported, source }) => `${source}#${imported}` === path) ||
    module.members.some((member) => importedPath(imports, member) === path)
  )
}

/** Whether a file is a module of TypeScript or JavaScript. */
const isModule = (file: string): boolean => /^\.m?[jt]s$/.test(extname(file))
