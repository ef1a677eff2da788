/** The errors for multipart forms that cannot be read. */
import * as ByteSize from "effect/ByteSize"
import * as Multipart from "effect/http/Multipart"
import type * as MultipartParser from "effect/http/MultipartParser"
import { hasProperty } from "effect/Predicate"
import { PayloadTooLarge } from "../../Contract/Catalogue.ts"
import * as Issues from "./Issues.ts"

/** The limits that a contract sets for a form. */
export type Limits = Multipart.withLimits.Options

/** The limits of the server for forms whose contract sets none. */
export interface Defaults {
  readonly bodyLimit: number
  readonly maxFields: number
}

const limited = {
  MaxFieldSize: "FieldTooLarge",
  MaxPartSize: "FileTooLarge",
  MaxParts: "TooManyParts",
  MaxTotalSize: "BodyTooLarge"
} as const

/** Returns the error of a form for that of its parser. */
export const fromParser = (error: MultipartParser.MultipartError): Multipart.MultipartError =>
  Multipart.MultipartError.fromReason(
    error._tag === "ReachedLimit" ? limited[error.limit] : "Parse",
    error
  )

/** Returns the error to answer; undefined if the cause says whether the client sent a broken body. */
export const errorOf = (
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
