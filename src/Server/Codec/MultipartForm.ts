/** Multipart forms: their schemas, their limits, and the errors for forms that cannot be read. */
import * as ByteSize from "effect/ByteSize"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { constUndefined } from "effect/Function"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as Multipart from "effect/http/Multipart"
import { hasProperty } from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import { PayloadTooLarge } from "../../Contract/Catalogue.ts"
import { copyNode, recur, replaceEncoding } from "../EffectInternals.ts"
import * as Issues from "../Exchange/Issues.ts"

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

type Limits = Multipart.withLimits.Options

/** The limits that a contract sets for the forms of an endpoint. */
export const limitsOf = ({ payload }: HttpApiEndpoint.Top): Limits => {
  for (const { encoding } of payload.values()) {
    if (encoding._tag === "Multipart") return encoding.limits ?? {}
  }
  return {}
}

/** The limits of the server for forms whose contract sets none. */
interface Defaults {
  readonly bodyLimit: number
  readonly maxFields: number
}

/**
 * Runs an effect that may read a multipart form. The form has at most `maxFields` parts if
 * the contract sets no limit. Effect's reply to a form that cannot be read is empty; this
 * one is a problem document with the reason.
 */
export const explained = <E, R>(
  effect: Effect.Effect<unknown, E, R>,
  limits: Limits,
  defaults: Defaults
): Effect.Effect<unknown, E, R> =>
  effect.pipe(
    Effect.provideService(Multipart.MaxParts, defaults.maxFields),
    Effect.catchCause((cause) => {
      const error = Cause.squash(cause)
      const known = Multipart.isMultipartError(error)
        ? errorOf(error.reason, limits, defaults)
        : undefined
      return known === undefined ? Effect.failCause(cause) : Effect.die(known)
    })
  )

const errorOf = (
  { _tag, cause }: Multipart.MultipartErrorReason,
  { maxFieldSize, maxFileSize, maxParts, maxTotalSize }: Limits,
  { bodyLimit, maxFields }: Defaults
) => {
  switch (_tag) {
    case "BodyTooLarge":
      return new PayloadTooLarge({
        limit: maxTotalSize === undefined ? bodyLimit : bytes(maxTotalSize)
      })
    case "FieldTooLarge":
      return tooLong("field", bytes(maxFieldSize))
    case "FileTooLarge":
      return tooLong("file", bytes(maxFileSize))
    case "InternalError":
      // The cause says whether the client sent a broken body.
      return undefined
    case "Parse":
      return malformed(reasonOf(cause))
    case "TooManyParts": {
      const limit = maxParts ?? maxFields
      return Issues.tooLarge(`The form has more than ${limit} parts`, limit)
    }
  }
}

/** Creates the 400 for a form that cannot be read. */
export const malformed = (reason: string) => Issues.malformedBody(`Not a multipart form: ${reason}`)

const tooLong = (part: "field" | "file", limit: number) =>
  Issues.tooLarge(`A ${part} of the form is longer than ${limit} bytes`, limit)

/** Effect's limit of a field, if the contract sets no other. */
const defaultSize = ByteSize.mebibytes(10)

const bytes = (size: ByteSize.Input | undefined): number =>
  ByteSize.toNumberUnsafe(size === undefined ? defaultSize : ByteSize.fromInputUnsafe(size))

/** The reason to refuse a form for the headers of a part. */
export const badHeaders = "a part has headers that cannot be read"

const reasons: Readonly<Record<string, string>> = {
  BadHeaders: badHeaders,
  EndNotReached: "it ends before its last boundary",
  InvalidBoundary: "its Content-Type has no boundary",
  InvalidDisposition: "a part has no Content-Disposition with a name"
}

const reasonOf = (cause: unknown): string =>
  (hasProperty(cause, "_tag") ? reasons[String(cause._tag)] : undefined) ?? "it cannot be read"
