/** Reads schemas as trees: the schemas at a key path, the keys they declare, the secrets they hold. */
import * as Exit from "effect/Exit"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import * as OwnKeys from "../Contract/OwnKeys.ts"
import { getPath, isPlain, type KeyPath } from "./Tree.ts"

/** The schemas that may describe one place: several if it is inside a union or a transformation. */
export type Nodes = ReadonlyArray<SchemaAST.AST>

/** Wraps an AST back into a schema that decodes without services. */
export const fromAst = (ast: SchemaAST.AST): Schema.ConstraintDecoder<unknown> =>
  Schema.make<Schema.ConstraintDecoder<unknown>>(ast)

/** Checks that the schema accepts the value synchronously. */
export const accepts = (ast: SchemaAST.AST, value: unknown): boolean =>
  Exit.isSuccess(Schema.decodeUnknownExit(OwnKeys.decoding(fromAst(ast)))(value))

/**
 * Returns the nodes, all schemas that they are decoded from, and the members of the unions among
 * them.
 */
export const expand = (nodes: Nodes): Nodes => {
  const seen = new Set<SchemaAST.AST>()
  const visit = (ast: SchemaAST.AST): void => {
    if (seen.has(ast)) return
    seen.add(ast)
    if (ast._tag === "Suspend") visit(ast.thunk())
    if (ast._tag === "Union") ast.types.forEach(visit)
    ast.encoding?.forEach((link) => visit(link.to))
  }
  nodes.forEach(visit)
  return [...seen]
}

/** Returns the schemas of a key or list index below the given ones; empty if no schema declares it. */
export const child = (nodes: Nodes, key: string): Nodes => {
  const found = new Set<SchemaAST.AST>()
  for (const ast of expand(nodes)) {
    if (ast._tag === "Objects") {
      const property = ast.propertySignatures.find((signature) => signature.name === key)
      if (property !== undefined) found.add(property.type)
      else for (const signature of ast.indexSignatures) found.add(signature.type)
    }
    if (ast._tag === "Arrays" && /^\d+$/.test(key)) {
      const item = ast.elements[Number(key)] ?? ast.rest[0]
      if (item !== undefined) found.add(item)
    }
  }
  return [...found]
}

/** Returns the default of a key as it would be in a file, or `undefined` if it has none. */
export const defaultOf = (nodes: Nodes, key: string): unknown => {
  for (const ast of expand(nodes)) {
    const property =
      ast._tag === "Objects"
        ? ast.propertySignatures.find((signature) => signature.name === key)
        : undefined
    if (property === undefined) continue
    const alone = Schema.Struct({
      [key]: Schema.make<Schema.ConstraintCodec<unknown>>(property.type)
    })
    const decoded = Schema.decodeUnknownExit(OwnKeys.decoding(alone))({})
    if (Exit.isFailure(decoded)) continue
    const encoded = Schema.encodeUnknownExit(OwnKeys.encoding(alone))(decoded.value)
    if (Exit.isSuccess(encoded)) return getPath(encoded.value, [key])
  }
  return undefined
}

/** Returns the schemas at a path. */
export const descend = (nodes: Nodes, path: KeyPath): Nodes =>
  path.reduce<Nodes>((current, key) => child(current, key), nodes)

/** Returns the field names that the schemas declare, sorted. */
export const keysOf = (nodes: Nodes): ReadonlyArray<string> => {
  const keys = new Set<string>()
  for (const ast of expand(nodes)) {
    if (ast._tag !== "Objects") continue
    for (const { name } of ast.propertySignatures) if (typeof name === "string") keys.add(name)
  }
  return [...keys].sort()
}

const openTags: ReadonlySet<string> = new Set(["Any", "Declaration", "ObjectKeyword", "Unknown"])

/** Checks whether the encoded schemas accept any key. Then no key counts as unread. */
export const isOpen = (nodes: Nodes): boolean =>
  expand(nodes).some(
    (ast) =>
      (ast.encoding === undefined && openTags.has(ast._tag)) ||
      (ast._tag === "Objects" && ast.indexSignatures.length > 0)
  )

/** Checks whether a schema is that of a `Redacted`, whichever function created it. */
export const isRedacted = (ast: SchemaAST.AST): boolean => {
  const representation: unknown =
    ast._tag === "Declaration" ? ast.annotations?.["representation"] : undefined
  return (
    Predicate.hasProperty(representation, "id") && representation.id === "effect/schema/Redacted"
  )
}

const secrecy = new WeakMap<SchemaAST.AST, boolean>()

/** Checks whether a schema, a schema inside it, or one that it is decoded from is a `Redacted`. */
const holdsSecret = (nodes: Nodes): boolean => nodes.some(holdsSecretNode)

const holdsSecretNode = (root: SchemaAST.AST): boolean => {
  const known = secrecy.get(root)
  if (known !== undefined) return known
  const seen = new Set<SchemaAST.AST>()
  const visit = (ast: SchemaAST.AST): boolean => {
    if (seen.has(ast)) return false
    seen.add(ast)
    return (
      isRedacted(ast) ||
      expand([ast]).some((node) => node !== ast && visit(node)) ||
      below(ast).some(visit)
    )
  }
  const result = visit(root)
  secrecy.set(root, result)
  return result
}

const below = (ast: SchemaAST.AST): Nodes => {
  switch (ast._tag) {
    case "Arrays":
      return [...ast.elements, ...ast.rest]
    case "Declaration":
      return ast.typeParameters
    case "Objects":
      return [...ast.propertySignatures, ...ast.indexSignatures].map((signature) => signature.type)
    default:
      return []
  }
}

// A transformation may rename keys: the encoded key then has no `Redacted` of its own. So a key
// counts as secret if a stage of the transformation lacks it and holds a secret.
const renamesSecret = (nodes: Nodes, key: string): boolean =>
  expand(nodes).some(
    (ast) =>
      holdsSecretNode(ast) &&
      (ast._tag === "Declaration" || ast._tag === "Objects") &&
      child([ast], key).length > 0 &&
      stages(ast).some(
        (stage) =>
          stage._tag === "Objects" &&
          stage.indexSignatures.length === 0 &&
          !stage.propertySignatures.some((signature) => signature.name === key) &&
          holdsSecretNode(stage)
      )
  )

const stages = (ast: SchemaAST.AST): Nodes => {
  const output: Array<SchemaAST.AST> = []
  const visit = (current: SchemaAST.AST): void => {
    output.push(current)
    current.encoding?.forEach((link) => visit(link.to))
  }
  visit(ast)
  return output
}

/**
 * Checks whether a value at the path must not be printed. If the schema has an object with a secret
 * inside and the value is not an object, the value counts as secret: somebody may have written the
 * secret in the wrong place.
 */
export const isSecret = (nodes: Nodes, path: KeyPath, value: unknown): boolean => {
  let current = nodes
  for (const key of path) {
    if (expand(current).some(isRedacted) || renamesSecret(current, key)) return true
    current = child(current, key)
  }
  return expand(current).some(isRedacted) || (!isPlain(value) && holdsSecret(current))
}
