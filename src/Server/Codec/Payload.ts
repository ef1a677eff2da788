/** The payloads of an endpoint: its media types, and how bytes become the handler's value. */
import * as HttpApi from "effect/http-api/HttpApi"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpMethod from "effect/http/HttpMethod"
import * as UrlParams from "effect/http/UrlParams"
import { isNotUndefined as isDefined } from "effect/Predicate"
import * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import * as EmptyBody from "../Exchange/EmptyBody.ts"
import * as Issues from "../Exchange/Issues.ts"
import * as Decoding from "./Decoding.ts"
import * as JsonText from "./JsonText.ts"
import * as MultipartForm from "./MultipartForm.ts"
import * as Parts from "./Parts.ts"
import type { Strict } from "./Strict.ts"

/** The query of a request, as the route table reads it. */
export type Query = Readonly<Record<string, ReadonlyArray<string> | string>>

/** What a body may hold. */
export interface Limits {
  /** The most fields of a form. */
  readonly maxFields: number
  /** The most levels of arrays and objects in JSON. */
  readonly maxJsonDepth: number
}

/** Reads and decodes a payload of one media type. */
export interface PayloadDecoder {
  readonly decoder: Parts.Decoder
  /**
   * Returns the input of `decoder`. Throws the error to answer if the body is not valid
   * UTF-8, is not JSON, has a key `__proto__`, or exceeds a limit.
   */
  readonly read: (body: Uint8Array, query: Query, limits: Limits) => unknown
  /** Whether the payload has a value if the request has no body. */
  readonly takesNothing: boolean
}

/**
 * Returns the payload decoders of an endpoint by media type, those of streams left out. If
 * the endpoint's method has no body, its payload is the query.
 */
export const payloads = (
  endpoint: HttpApiEndpoint.Top,
  strict: Strict,
  annotations: Parts.Annotations = endpoint.annotations
): ReadonlyMap<string, PayloadDecoder> => {
  const options = Parts.parseOptions(annotations, HttpApi.PayloadParseOptions)
  const hasBody = HttpMethod.hasBody(endpoint.method)
  const found = new Map<string, PayloadDecoder>()
  for (const [mediaType, { encoding, schemas }] of endpoint.payload) {
    if (isStream(encoding)) continue
    const ast = strict(codec(encoding._tag, Schema.Union(schemas)))
    const empty = hasBody ? schemas.map(({ ast }) => EmptyBody.of(ast)).find(isDefined) : undefined
    const read = hasBody ? readers[encoding._tag] : fromQuery
    found.set(mediaType, {
      decoder: { ...Decoding.make(ast, options), kind: "Payload", part: "payload" },
      read:
        empty === undefined
          ? read
          : (body, query, limits) => (body.length === 0 ? empty.value : read(body, query, limits)),
      takesNothing: empty !== undefined
    })
  }
  return found
}

type Encoding = EntryOf<HttpApiEndpoint.Top["payload"]>["encoding"]

type EntryOf<A> = A extends ReadonlyMap<string, infer Entry> ? Entry : never

/** Whether the handler gets the payload in parts. */
const isStream = (encoding: Encoding): boolean =>
  encoding._tag === "Stream" || (encoding._tag === "Multipart" && encoding.mode === "stream")

/** Whether an endpoint takes a multipart form. */
export const hasForm = ({ payload }: HttpApiEndpoint.Top): boolean =>
  [...payload.values()].some(({ encoding }) => encoding._tag === "Multipart")

/** Returns the schema of a payload, from what its reader returns. */
const codec = (encoding: Encoding["_tag"], schema: Schema.Top): SchemaAST.AST => {
  switch (encoding) {
    case "FormUrlEncoded":
      return Schema.toCodecArrayFromSingle(schema).ast
    case "Multipart":
      return MultipartForm.codec(schema)
    default:
      return schema.ast
  }
}

/**
 * Returns the schema of a payload whose body Effect reads and does not decode: its value is a
 * multipart form, a stream, or bytes.
 */
export const undecoded = (
  payload: HttpApiEndpoint.Top["payload"]
): HttpApiEndpoint.Top["payload"] => {
  const read = new Map<string, EntryOf<typeof payload>>()
  for (const [mediaType, entry] of payload) {
    const { encoding, schemas } = entry
    if (schemas.some(({ ast }) => EmptyBody.of(ast) !== undefined)) {
      // Effect takes a body without a type for JSON.
      read.set(json, asBytes)
    }
    read.set(
      mediaType,
      encoding._tag === "Multipart"
        ? { encoding, schemas: [Schema.Any] }
        : encoding._tag === "Stream"
          ? entry
          : asBytes
    )
  }
  return read as unknown as typeof payload
}

const json = "application/json"

const asBytes = {
  encoding: { _tag: "Uint8Array", contentType: json },
  schemas: [Schema.Any]
} as const

const form = "application/x-www-form-urlencoded"

/** Returns the media type of a request's payload. `contentType` is the header. */
export const mediaType = (method: string, contentType: string | undefined): string =>
  HttpMethod.hasBody(method) ? normalized(contentType ?? json) : form

/** Whether a `Content-Type` names no charset but UTF-8 and its subset ASCII. */
export const isUtf8 = (contentType: string | undefined): boolean => {
  const charset = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(contentType ?? "")?.[1]
  return charset === undefined || /^(?:utf-?8|us-ascii)$/i.test(charset)
}

const normalized = (contentType: string): string => {
  const semicolon = contentType.indexOf(";")
  return (semicolon === -1 ? contentType : contentType.slice(0, semicolon)).trim().toLowerCase()
}

const separator = 0x26

/** Whether a byte occurs more than `count` times. */
const hasMoreThan = (count: number, byte: number, bytes: Uint8Array): boolean => {
  let found = 0
  for (let at = bytes.indexOf(byte); at !== -1; at = bytes.indexOf(byte, at + 1)) {
    if (++found > count) return true
  }
  return false
}

// In a form a byte order mark is data: part of the first name.
const formText = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const readForm: PayloadDecoder["read"] = (body, _query, { maxFields }) => {
  if (hasMoreThan(maxFields - 1, separator, body)) {
    throw Issues.tooLarge(`The form has more than ${maxFields} fields`, maxFields)
  }
  const text = JsonText.text(body, formText)
  try {
    decodeURIComponent(text)
  } catch {
    throw Issues.malformedBody("Not valid percent-encoded UTF-8")
  }
  // A leading "?" is data; URLSearchParams would drop it.
  const pairs = new URLSearchParams(text.startsWith("?") ? `%3F${text.slice(1)}` : text)
  const fields = UrlParams.toRecord(UrlParams.fromInput(pairs))
  JsonText.refusePrototype("body", fields)
  return fields
}

const fromQuery: PayloadDecoder["read"] = (_, query) => {
  JsonText.refusePrototype("query", query)
  return query
}

/** The readers of bodies. Effect has read a multipart form. */
const readers: Readonly<Record<Encoding["_tag"], PayloadDecoder["read"]>> = {
  FormUrlEncoded: readForm,
  Json: (body, _query, { maxJsonDepth }) => JsonText.parse(body, maxJsonDepth),
  Multipart: (form) => form,
  Stream: (stream) => stream,
  Text: (body) => JsonText.text(body),
  // The handler must not see a listener's buffer, which may be part of a larger one.
  Uint8Array: (body) => new Uint8Array(body)
}
