/** The names that the schemas of an endpoint declare for parts of a request. */
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpMethod from "effect/http/HttpMethod"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"

/** Returns the names in the query of an endpoint; `undefined` if its contract takes every name. */
export const ofQuery = ({
  method,
  payload,
  query
}: HttpApiEndpoint.Top): ReadonlySet<string> | undefined => {
  const parts = query === undefined ? [] : [Schema.toCodecArrayFromSingle(query)]
  // The payload of a method without a body is in the query.
  const payloads = HttpMethod.hasBody(method)
    ? []
    : [...payload.values()].flatMap(({ schemas }) => schemas)
  return of([...parts, ...payloads])
}

/** Returns the encoded names of structs and of unions of them; `undefined` if one takes every name. */
export const of = (
  schemas: ReadonlyArray<{ readonly ast: SchemaAST.AST }>
): ReadonlySet<string> | undefined => {
  const names = new Set<string>()
  return schemas.every(({ ast }) => collect(SchemaAST.toEncoded(ast), names)) ? names : undefined
}

/** Adds the keys of a schema. Returns whether it takes no others. */
const collect = (ast: SchemaAST.AST, names: Set<string>): boolean => {
  if (SchemaAST.isUnion(ast)) return ast.types.every((type) => collect(type, names))
  if (!SchemaAST.isObjects(ast) || ast.indexSignatures.length > 0) return false
  for (const { name } of ast.propertySignatures) names.add(String(name))
  return true
}
