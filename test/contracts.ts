// Takes contracts out of code that has more: the groups, endpoints and errors of a snippet, with the
// declarations and imports that they use. A contract has to stand by itself for a browser.
import { parseSync, type Span, Visitor } from "oxc-parser"

/** What a module declares a contract with. */
const makers = /\b(?:ApiError\.make|HttpApi\.make|HttpApiEndpoint\.\w+|HttpApiGroup\.make)\b/

interface Part {
  readonly declares: ReadonlyArray<string>
  readonly text: string
  readonly uses: ReadonlySet<string>
}

const identifiersOf = (text: string): ReadonlySet<string> => {
  const found = new Set<string>()
  new Visitor({
    Identifier: ({ name }) => {
      found.add(name)
    }
  }).visit(parseSync("part.ts", text).program)
  return found
}

/** Returns the code of the contracts in a module; `undefined` if it has none. */
export const contractOf = (text: string): string | undefined => {
  const { program } = parseSync("module.ts", text)
  const slice = ({ end, start }: Span) => text.slice(start, end)
  const imports: Array<{ readonly code: string; readonly name: string }> = []
  const parts: Array<Part> = []
  for (const statement of program.body) {
    if (statement.type === "ImportDeclaration") {
      const source = slice(statement.source)
      for (const specifier of statement.specifiers) {
        const written = slice(specifier)
        const what = specifier.type === "ImportSpecifier" ? `{ ${written} }` : written
        const kind = statement.importKind === "type" ? "type " : ""
        imports.push({ code: `import ${kind}${what} from ${source}`, name: specifier.local.name })
      }
      continue
    }
    const inner =
      statement.type === "ExportNamedDeclaration" && statement.declaration !== null
        ? statement.declaration
        : statement
    const code = slice(inner)
    const declares =
      inner.type === "VariableDeclaration"
        ? inner.declarations.map(({ id }) => slice(id))
        : inner.type === "ClassDeclaration" || inner.type === "FunctionDeclaration"
          ? [inner.id!.name]
          : []
    if (declares.length > 0) parts.push({ declares, text: code, uses: identifiersOf(code) })
  }
  const roots = parts.filter(({ text: code }) => makers.test(code))
  if (roots.length === 0) return undefined
  const kept = new Set<Part>()
  const names = new Set<string>()
  const keep = (part: Part): void => {
    if (kept.has(part)) return
    kept.add(part)
    for (const name of part.uses) {
      names.add(name)
      parts.filter(({ declares }) => declares.includes(name)).forEach(keep)
    }
  }
  roots.forEach(keep)
  return [
    ...imports.filter(({ name }) => names.has(name)).map(({ code }) => code),
    ...parts.filter((part) => kept.has(part)).map(({ text: code }) => code),
    // What is exported stays in a bundle.
    `export const contracts = [${roots.flatMap(({ declares }) => declares).join(", ")}]`
  ].join("\n")
}
