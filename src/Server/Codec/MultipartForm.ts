/** Multipart forms: their schemas, their limits, and the errors for forms that cannot be read. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { constUndefined } from "effect/Function"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as Multipart from "effect/http/Multipart"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import { copyNode, recur, replaceEncoding } from "../EffectInternals.ts"
import * as MultipartFailure from "../Exchange/MultipartFailure.ts"

/** Returns the schema of a form from its fields, which are texts or lists of texts, and its files. */
export const fromTexts = ({ ast }: Schema.Top): Schema.Top =>
  Schema.toCodecStringTree(Schema.make<Schema.Top>(withFiles(ast)))

/**
 * Returns the schema of a form from its fields and files. Its fields are decoded like those of
 * an url-encoded form.
 */
export const codec = (schema: Schema.Top): SchemaAST.AST =>
  Schema.toCodecArrayFromSingle(fromTexts(schema)).ast

const withFiles = (ast: SchemaAST.AST): SchemaAST.AST => {
  const made = new Map<SchemaAST.AST, SchemaAST.AST>()
  const change = (ast: SchemaAST.AST): SchemaAST.AST => {
    const known = made.get(ast)
    if (known !== undefined) return known
    const encoding = ast.encoding?.map(
      ({ to, transformation }) => new SchemaAST.Link(change(to), transformation)
    )
    const body = isFile(ast)
      ? copyNode(ast, { annotations: { ...ast.annotations, toCodecStringTree: constUndefined } })
      : recur(ast, change)
    const changed =
      encoding === undefined
        ? body
        : replaceEncoding(body, encoding as unknown as SchemaAST.Encoding)
    made.set(ast, changed)
    return changed
  }
  return change(ast)
}

/** Whether values of a schema are not text: files, and classes of the user without a codec. */
const isFile = (ast: SchemaAST.AST): boolean => {
  if (!SchemaAST.isDeclaration(ast)) return false
  const annotations = (ast.annotations ?? {}) as Schema.Annotations.Declaration<unknown>
  return (
    annotations.representation?.id === "effect/http/PersistedFile" ||
    !["toCodec", "toCodecJson", "toCodecStringTree"].some((key) => key in annotations)
  )
}

/** The limits that a contract sets for the forms of an endpoint. */
export const limitsOf = ({ payload }: HttpApiEndpoint.Top): MultipartFailure.Limits => {
  for (const { encoding } of payload.values()) {
    if (encoding._tag === "Multipart") return encoding.limits ?? {}
  }
  return {}
}

/**
 * Runs an effect that may read a multipart form. The form has at most `maxFields` parts if
 * the contract sets no limit. Effect's reply to a form that cannot be read is empty; this
 * one is a problem document with the reason.
 */
export const explained = <E, R>(
  effect: Effect.Effect<unknown, E, R>,
  limits: MultipartFailure.Limits,
  defaults: MultipartFailure.Defaults
): Effect.Effect<unknown, E, R> =>
  effect.pipe(
    Effect.provideService(Multipart.MaxParts, defaults.maxFields),
    Effect.catchCause((cause) => {
      const error = Cause.squash(cause)
      const known = Multipart.isMultipartError(error)
        ? MultipartFailure.errorOf(error.reason, limits, defaults)
        : undefined
      return known === undefined ? Effect.failCause(cause) : Effect.die(known)
    })
  )
