/** Describes schemas in words for reports. */
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import { expand, fromAst, isRedacted, keysOf, type Nodes } from "./SchemaTree.ts"

const annotation = "flange/Config/expected"

/**
 * Sets the words with which reports describe the values that a schema takes. Reports use them
 * whichever part of the schema refuses a value. The words complete the sentence "write ...".
 *
 * @example
 * ```ts
 * import * as NodeServices from "@effect/platform-node/NodeServices"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import * as Config from "flange/Config"
 *
 * const Color = Schema.String.check(Schema.isPattern(/^#[0-9a-f]{6}$/)).pipe(
 *   Config.expected('a color such as "#ff8800"')
 * )
 * const PaintConfig = Config.section("paint", { color: Color })
 *
 * const program = Config.load({ sections: [PaintConfig], values: { paint: { color: "red" } } }).pipe(
 *   Effect.flip,
 *   Effect.map((error) => error.problems.map((problem) => problem.expected))
 * )
 *
 * await Effect.runPromise(Effect.provide(program, NodeServices.layer)) // => ['a color such as "#ff8800"']
 * ```
 */
export const expected =
  (words: string) =>
  <S extends Schema.Top>(self: S): S["Rebuild"] =>
    self.annotate({ [annotation]: words })

const explicit = (ast: SchemaAST.AST): string | undefined => {
  for (const node of expand([ast])) {
    const text = SchemaAST.resolve(node)?.[annotation]
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
        : `a list of items that are each ${describeNode(ast.rest[0], depth + 1)}`
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
      return describeNode(ast.thunk(), depth + 1)
    case "TemplateLiteral":
      return "a string of the declared form"
    case "Union":
      return alternatives(
        ast.types
          .filter((type) => type._tag !== "Undefined")
          .map((type) => describeNode(type, depth + 1))
      )
    default:
      return "any value"
  }
}

const declaration = (ast: SchemaAST.Declaration, depth: number): string => {
  const parameter = ast.typeParameters[0]
  if (isRedacted(ast) && parameter !== undefined) {
    return `${describeNode(parameter, depth + 1)} (secret)`
  }
  const encoded = SchemaAST.toEncoded(Schema.toCodecJson(fromAst(ast)).ast)
  if (encoded._tag !== "Declaration") return describeNode(encoded, depth + 1)
  const text = ast.annotations?.["expected"]
  return typeof text === "string" ? text : "any value"
}

const describeNode = (ast: SchemaAST.AST, depth: number): string => {
  const text = explicit(ast)
  if (text !== undefined) return text
  if (depth > 4) return "a value"
  const source = ast.encoding?.[0].to
  if (source !== undefined) {
    const inner = describeNode(source, depth + 1)
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

/**
 * Describes the values that the schemas take, for a person who edits a file: "a number", "true or
 * false".
 */
export const describe = (nodes: Nodes): string => {
  const first = nodes[0]
  return first === undefined ? "nothing" : describeNode(first, 0)
}

/** Returns the words that `expected` set on one of the schemas. */
export const ownWords = (nodes: Nodes): string | undefined =>
  nodes.map(explicit).find((text) => text !== undefined)
