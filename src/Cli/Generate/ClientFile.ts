/** The file of a typed client for the contracts of a project. */
import { globSync, readFileSync } from "node:fs"
import { basename, posix, sep } from "node:path"
import { isServer } from "../Client/Graph.ts"
import { file, imports, list, named, namespace } from "./Code.ts"
import { importOf } from "./Crud.ts"
import * as Syntax from "./Syntax.ts"

/** A contract that was found. */
export interface Contract {
  readonly file: string
  /** The name of its export. */
  readonly name: string
  /** The modules that a browser cannot import. */
  readonly serverCode: ReadonlyArray<string>
}

/** Returns the names of the exported classes and constants of a module that are groups of endpoints. */
const groupsIn = (module: Syntax.Module): ReadonlyArray<string> => {
  const path = "effect/http-api/HttpApiGroup#make"
  const calls = Syntax.callsOf(module, path)
  return module.program.body.flatMap((statement) => {
    if (statement.type !== "ExportNamedDeclaration") return []
    const { declaration } = statement
    const named =
      declaration?.type === "ClassDeclaration"
        ? [{ id: declaration.id, value: declaration.superClass }]
        : declaration?.type === "VariableDeclaration"
          ? declaration.declarations.map(({ id, init }) => ({ id, value: init }))
          : []
    return named.flatMap(({ id, value }) =>
      id?.type === "Identifier" &&
      value !== null &&
      calls.some(({ end, start }) => value.start <= start && end <= value.end)
        ? [id.name]
        : []
    )
  })
}

/** Returns what a module imports that a browser cannot import, through other modules too. */
const serverCodeOf = (
  parse: Syntax.Parse,
  module: Syntax.Module,
  seen = new Set<string>()
): ReadonlyArray<string> => {
  if (seen.has(module.file)) return []
  seen.add(module.file)
  return [
    ...Syntax.sourcesOf(module)
      .filter((source) => !source.startsWith(".") && isServer(source))
      .map((source) => `${source} (${module.file})`),
    ...Syntax.importedBy(parse, module).flatMap((each) => serverCodeOf(parse, each, seen))
  ]
}

/** Finds the contracts below a folder. */
export const contracts = (parse: Syntax.Parse, root: string): ReadonlyArray<Contract> =>
  globSync("**/*.{ts,mts,js,mjs}", {
    cwd: root,
    exclude: (path) => /^(?:node_modules|dist|test|\..+)$/.test(basename(path))
  })
    .map((path) => posix.join(root, path.split(sep).join("/")))
    .sort()
    .flatMap((path) => {
      const text = readFileSync(path, "utf8")
      if (!text.includes("HttpApiGroup")) return []
      const module = parse(path, text)
      return groupsIn(module).map((name): Contract => ({
        file: path,
        name,
        serverCode: serverCodeOf(parse, module)
      }))
    })

/** Returns the text of the file. */
export const text = (out: string, id: string, found: ReadonlyArray<Contract>): string => {
  const names = found.map(({ name }) => name).sort()
  return file([
    `/** The typed client of the app: no server code, so that a browser can import it. */
${imports([
  namespace("effect/http-api/HttpApi"),
  named(["Client"], "flange/Contract"),
  ...found.map(({ file, name }) => named([name], importOf(file, posix.dirname(out))))
])}`,
    list(0, `export const Api = HttpApi.make(${JSON.stringify(id)}).add`, "(", names),
    `/** Creates the client: \`make({ baseUrl: "https://example.com" })\` requires an \`HttpClient\`. */
export const make = (options: Client.Options = {}) => Client.make(Api, options)`
  ])
}
