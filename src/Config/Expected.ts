import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import { expand, fromAst, isRedacted, keysOf, type Nodes } from "./SchemaTree.ts"

/** The annotation by which Flange's own codecs say what they take, whichever part of them fails. */
export const expectedAnnotation = "flange/Config/expected"

const explicit = (ast: SchemaAST.AST): string | undefined => {
  for (const node of expand([ast])) {
    const text = SchemaAST.resolve(node)?.[expectedAnnotation]
    if (typeof text === "string") return text
  }
  return undefined
}

const alternatives = (items: ReadonlyArray<string>): string => {
  const unique = [...new Set(items)]
  const last = unique.pop() ?? "nothing"
  return unique.length === 0 ? last : `${unique.join(", ")} or ${last}`
}

const checksOf = (checks: SchemaAST.Checks | undefined): ReadonlyArray<string> =>
  (checks ?? []).flatMap((check) => {
    const expected = check.annotations?.expected
    if (typeof expected === "string") return [expected]
    return check._tag === "FilterGroup" ? checksOf(check.checks) : []
  })

const base = (ast: SchemaAST.AST, depth: number): string => {
  switch (ast._tag) {
    case "Arrays":
      return ast.rest[0] === undefined
        ? `a list of ${ast.elements.length} items`
        : `a list of items that are each ${describe(ast.rest[0], depth + 1)}`
    case "BigInt":
      return "an integer"
    case "Boolean":
      return "true or false"
    case "Declaration":
      return declaration(ast, depth)
    case "Enum":
      return alternatives(ast.enums.map(([, value]) => JSON.stringify(value)))
    case "Literal":
      return typeof ast.literal === "bigint" ? String(ast.literal) : JSON.stringify(ast.literal)
    case "Null":
      return "null"
    case "Number":
      return "a number"
    case "Objects": {
      const keys = keysOf([ast])
      return keys.length === 0 ? "an object" : `an object with ${keys.join(", ")}`
    }
    case "String":
      return "a string"
    case "Suspend":
      return describe(ast.thunk(), depth + 1)
    case "TemplateLiteral":
      return "a string of the declared form"
    case "Union":
      return alternatives(
        ast.types
          .filter((type) => type._tag !== "Undefined")
          .map((type) => describe(type, depth + 1))
      )
    default:
      return "any value"
  }
}

const declaration = (ast: SchemaAST.Declaration, depth: number): string => {
  const parameter = ast.typeParameters[0]
  if (isRedacted(ast) && parameter !== undefined) {
    return `${describe(parameter, depth + 1)} (secret)`
  }
  const encoded = SchemaAST.toEncoded(Schema.toCodecJson(fromAst(ast)).ast)
  if (encoded._tag !== "Declaration") return describe(encoded, depth + 1)
  const text = ast.annotations?.["expected"]
  return typeof text === "string" ? text : "any value"
}

const describe = (ast: SchemaAST.AST, depth: number): string => {
  const text = explicit(ast)
  if (text !== undefined) return text
  if (depth > 4) return "a value"
  const source = ast.encoding?.[0].to
  if (source !== undefined) {
    const inner = describe(source, depth + 1)
    return isRedacted(ast) && !inner.endsWith("(secret)") ? `${inner} (secret)` : inner
  }
  if (!SchemaAST.isDeclaration(ast) && typeof ast.annotations?.expected === "string") {
    return ast.annotations.expected
  }
  const checks = checksOf(ast.checks)
  const start = base(ast, depth)
  const covered = checks.some(
    (check) => check.startsWith("a string") || check.startsWith("an integer")
  )
  return [...(covered ? [] : [start]), ...checks].join(", ")
}

/** What the schemas take, in words for a person who edits a file: "a number", "true or false". */
export const expected = (nodes: Nodes): string => {
  const first = nodes[0]
  return first === undefined ? "nothing" : describe(first, 0)
}

/** The words that a codec of Flange gives itself, when the schemas come from one. */
export const ownWords = (nodes: Nodes): string | undefined =>
  nodes.map(explicit).find((text) => text !== undefined)
