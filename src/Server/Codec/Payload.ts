/** The payloads of an endpoint: its media types, and how bytes become the handler's value. */
import * as HttpApi from "effect/http-api/HttpApi"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpMethod from "effect/http/HttpMethod"
import * as UrlParams from "effect/http/UrlParams"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import * as Issues from "../Exchange/Issues.ts"
import * as Decoding from "./Decoding.ts"
import * as JsonText from "./JsonText.ts"
import * as Parts from "./Parts.ts"

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
   * UTF-8, is not JSON, has a key `__proto__` in its JSON, or exceeds a limit.
   */
  readonly read: (body: Uint8Array, query: Query, limits: Limits) => unknown
}

/**
 * Returns the payload decoders of an endpoint by media type. If the endpoint's method has
 * no body, its payload is the query. Call it for payloads without an obstacle only.
 */
export const payloads = (
  endpoint: HttpApiEndpoint.Top,
  annotations: Parts.Annotations = endpoint.annotations
): ReadonlyMap<string, PayloadDecoder> => {
  const options = Parts.parseOptions(annotations, HttpApi.PayloadParseOptions)
  const hasBody = HttpMethod.hasBody(endpoint.method)
  const found = new Map<string, PayloadDecoder>()
  for (const [mediaType, { encoding, schemas }] of endpoint.payload) {
    const union = Schema.Union(schemas)
    const isForm = encoding._tag === "FormUrlEncoded"
    const { ast } = isForm ? Schema.toCodecArrayFromSingle(union) : union
    found.set(mediaType, {
      decoder: { ...Decoding.make(ast, options), kind: "Payload", part: "payload" },
      read: reader(encoding._tag, hasBody, schemas)
    })
  }
  return found
}

const form = "application/x-www-form-urlencoded"

/** Returns the media type of a request's payload. `contentType` is the header. */
export const mediaType = (method: string, contentType: string | undefined): string =>
  HttpMethod.hasBody(method) ? normalized(contentType ?? "application/json") : form

/** Whether a `Content-Type` names no charset but UTF-8 and its subset ASCII. */
export const isUtf8 = (contentType: string | undefined): boolean => {
  const charset = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(contentType ?? "")?.[1]
  return charset === undefined || /^(?:utf-?8|us-ascii)$/i.test(charset)
}

const normalized = (contentType: string): string => {
  const semicolon = contentType.indexOf(";")
  return (semicolon === -1 ? contentType : contentType.slice(0, semicolon)).trim().toLowerCase()
}

const reader = (
  encoding: string,
  hasBody: boolean,
  schemas: ReadonlyArray<Schema.Top>
): PayloadDecoder["read"] => {
  switch (encoding) {
    case "FormUrlEncoded":
      return hasBody ? readForm : fromQuery
    case "Json":
      return schemas.some(({ ast }) => SchemaAST.isNull(SchemaAST.toEncoded(ast)))
        ? readNullableJson
        : readJson
    case "Text":
      return readText
    default:
      return readBytes
  }
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
  // A leading "?" is data; URLSearchParams would drop it.
  const pairs = new URLSearchParams(text.startsWith("?") ? `%3F${text.slice(1)}` : text)
  return UrlParams.toRecord(UrlParams.fromInput(pairs))
}

const fromQuery: PayloadDecoder["read"] = (_, query) => query

const readText: PayloadDecoder["read"] = (body) => JsonText.text(body)

// The handler must not see a listener's buffer, which may be part of a larger one.
const readBytes: PayloadDecoder["read"] = (body) => new Uint8Array(body)

const readJson: PayloadDecoder["read"] = (body, _query, { maxJsonDepth }) =>
  JsonText.parse(body, maxJsonDepth)

// An empty body means null if the schema has it.
const readNullableJson: PayloadDecoder["read"] = (body, query, limits) =>
  readJson(body, query, limits) ?? null
