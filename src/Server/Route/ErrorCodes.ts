/** The errors of an endpoint's contract, by status. */
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as HttpMethod from "effect/http/HttpMethod"
import * as SchemaAST from "effect/SchemaAST"
import { PayloadTooLarge, UnsupportedMediaType } from "../../Contract/Catalogue.ts"
import { StandardErrors } from "../../Contract/StandardErrors.ts"
import {
  getErrorSchemas,
  getStatusErrorSchema,
  getWithHeadersAnnotation
} from "../EffectInternals.ts"

/** An error of an endpoint. */
export interface ErrorCode {
  /** The code of the error; of an error without a code, the name of its schema. */
  readonly code: string
  readonly status: number
}

/** The errors of the server that only a request with a body can get. */
const ofBodies: ReadonlySet<string> = new Set([PayloadTooLarge.code, UnsupportedMediaType.code])

/** Returns the errors of an endpoint, those of its middleware included. */
export const of = (endpoint: HttpApiEndpoint.Top): ReadonlyArray<ErrorCode> => {
  const isBodyRead = HttpMethod.hasBody(endpoint.method) && endpoint.payload.size > 0
  return getErrorSchemas(endpoint)
    .flatMap((schema) =>
      codesOf(schema).map((code) => ({ code, status: getStatusErrorSchema(schema) }))
    )
    .filter(({ code }) => isBodyRead || !ofBodies.has(code))
}

/** Returns the codes of the errors that a schema describes. */
const codesOf = (schema: { readonly ast: SchemaAST.AST }): ReadonlyArray<string> => {
  const body = HttpApiSchema.isWithHeaders(schema)
    ? schema.schema.ast
    : (getWithHeadersAnnotation(schema.ast)?.bodyCodec.ast ?? schema.ast)
  return membersOf(body).map(
    (ast) =>
      literal(ast, "code") ?? SchemaAST.resolveIdentifier(ast) ?? literal(ast, "_tag") ?? "error"
  )
}

const membersOf = (ast: SchemaAST.AST): ReadonlyArray<SchemaAST.AST> =>
  SchemaAST.isUnion(ast) ? ast.types.flatMap(membersOf) : [ast]

/** Returns the text of a field that has only one. */
const literal = (ast: SchemaAST.AST, name: string): string | undefined => {
  // The fields of a class are those of its parameter.
  const fields = ast._tag === "Declaration" ? ast.typeParameters[0] : ast
  if (fields?._tag !== "Objects") return undefined
  const type = fields.propertySignatures.find((field) => field.name === name)?.type
  return type?._tag === "Literal" ? String(type.literal) : undefined
}

/** The codes of the errors that every endpoint has. */
export const standard: ReadonlySet<string> = new Set([...StandardErrors.error].flatMap(codesOf))
