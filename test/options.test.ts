/** An editor shows prose on every option of a public function. */
import { existsSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { parseSync, Visitor } from "oxc-parser"
import { expect, it } from "vitest"

interface Node {
  readonly end: number
  readonly start: number
  readonly type: string
}

interface Option extends Node {
  readonly key: { readonly name?: string }
}

interface TypeLiteral extends Node {
  readonly members: ReadonlyArray<Option>
}

/** The text between a comment and the member that it describes. */
const between = /^\s*(?:readonly\s+)?$/

/** Returns the options of a module without prose, and the modules that it exports. */
const read = (file: string) => {
  const text = readFileSync(file, "utf8")
  const { comments, errors, program } = parseSync(file, text)
  expect(errors).toEqual([])
  const hasProse = ({ start }: Node) =>
    comments.some(
      ({ end, type, value }) =>
        type === "Block" &&
        value.startsWith("*") &&
        end <= start &&
        between.test(text.slice(end, start))
    )
  const exported: Array<{
    readonly file: string
    readonly names: ReadonlySet<string> | undefined
  }> = []
  const missing: Array<{ readonly name: string; readonly option: string }> = []
  const take = (name: string, members: ReadonlyArray<Option>) => {
    for (const member of members) {
      const option = member.key?.name
      if (member.type === "TSPropertySignature" && option !== undefined && !hasProse(member)) {
        missing.push({ name, option })
      }
    }
  }
  /** Takes the types that are written at the parameters of a function. */
  const ofParameters = (name: string, parameters: ReadonlyArray<unknown>) => {
    for (const parameter of parameters) {
      const { left } = parameter as { readonly left?: unknown }
      const { typeAnnotation } = (left ?? parameter) as {
        readonly typeAnnotation?: { readonly typeAnnotation: Node } | null
      }
      const type = typeAnnotation?.typeAnnotation
      if (type?.type === "TSTypeLiteral") take(name, (type as TypeLiteral).members)
    }
  }
  const follow = (specifier: string, names: ReadonlySet<string> | undefined) => {
    const target = join(dirname(file), specifier)
    if (specifier.startsWith(".") && existsSync(target)) exported.push({ file: target, names })
  }
  new Visitor({
    ExportAllDeclaration: ({ source }) => follow(source.value, undefined),
    ExportNamedDeclaration: ({ declaration, source, specifiers }) => {
      if (source !== null) {
        const names = specifiers.map(({ local }) => (local as { readonly name: string }).name)
        return follow(source.value, new Set(names))
      }
      if (declaration?.type === "TSInterfaceDeclaration") {
        const { name } = declaration.id
        if (name.endsWith("Options")) take(name, declaration.body.body as never)
      }
      if (
        declaration?.type === "FunctionDeclaration" ||
        declaration?.type === "TSDeclareFunction"
      ) {
        ofParameters(declaration.id?.name ?? "", declaration.params)
      }
      if (declaration?.type === "VariableDeclaration") {
        for (const { id, init } of declaration.declarations) {
          if (id.type === "Identifier" && init?.type === "ArrowFunctionExpression") {
            ofParameters(id.name, init.params)
          }
        }
      }
    }
  }).visit(program)
  return { exported, missing }
}

/** The modules that users import. */
const entries: ReadonlyArray<string> = Object.values(
  (
    JSON.parse(readFileSync("package.json", "utf8")) as {
      readonly exports: Readonly<Record<string, string | { readonly "flange-source"?: string }>>
    }
  ).exports
).flatMap((entry) => (typeof entry === "string" ? [] : (entry["flange-source"] ?? [])))

it("every option of an exported function has a doc comment", () => {
  const seen = new Set<string>()
  const found = new Set<string>()
  const visit = (file: string, names: ReadonlySet<string> | undefined) => {
    const key = `${file} ${[...(names ?? ["*"])].join(" ")}`
    if (seen.has(key)) return
    seen.add(key)
    const { exported, missing } = read(file)
    for (const { name, option } of missing) {
      if (names === undefined || names.has(name)) found.add(`${file}: ${option} of ${name}`)
    }
    for (const next of exported) visit(next.file, next.names)
  }
  for (const entry of entries) visit(entry, undefined)
  expect(seen.size).toBeGreaterThan(entries.length)
  expect([...found].toSorted()).toEqual([])
})
