/** Payloads that a request without a body may have. */
import * as SchemaAST from "effect/SchemaAST"

/** The encoded value of an empty body. */
export interface Empty {
  readonly value: null | undefined
}

/** Whether a schema is `Schema.Undefined` or `Schema.Void`. */
export const isNothing = (ast: SchemaAST.AST): boolean =>
  SchemaAST.isUndefined(ast) || SchemaAST.isVoid(ast)

/**
 * Returns the encoded value of an empty body for schemas that accept one, such as
 * `Schema.UndefinedOr`; undefined for any other schema.
 */
export const of = (ast: SchemaAST.AST): Empty | undefined =>
  SchemaAST.isNull(SchemaAST.toEncoded(ast)) ? { value: null } : memberOf(ast, new Set())

const memberOf = (ast: SchemaAST.AST, seen: Set<SchemaAST.AST>): Empty | undefined => {
  if (isNothing(ast))
    return { value: SchemaAST.isNull(SchemaAST.toEncoded(ast)) ? null : undefined }
  if (seen.has(ast)) return undefined
  seen.add(ast)
  const last = ast.encoding?.at(-1)
  if (last !== undefined) return memberOf(last.to, seen)
  const types = SchemaAST.isUnion(ast) ? ast.types : SchemaAST.isSuspend(ast) ? [ast.thunk()] : []
  for (const type of types) {
    const found = memberOf(type, seen)
    if (found !== undefined) return found
  }
  return undefined
}
