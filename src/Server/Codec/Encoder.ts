/** Encodes a handler's value or failure to status, headers and body, as the contract declares. */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpApi from "effect/http-api/HttpApi"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Headers from "effect/http/Headers"
import * as UrlParams from "effect/http/UrlParams"
import type * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import * as EffectInternals from "../EffectInternals.ts"
import type { EncodedReply } from "../Exchange/EncodedReply.ts"
import * as Problem from "../Exchange/Problem.ts"
import * as ReplyHeaders from "../Exchange/ReplyHeaders.ts"
import * as Decoding from "./Decoding.ts"
import * as DirectResult from "./DirectResult.ts"
import * as Parts from "./Parts.ts"

/**
 * Encodes a value. Fails if the value does not fit the contract. Returns an `Exit` unless
 * the schema has to wait. If code of the value throws, such as a getter or `toJSON`, this
 * function throws or its effect dies.
 */
export type Encode = (value: unknown) => Effect.Effect<EncodedReply, Schema.SchemaError>

/** Returns the encoder of what an endpoint's handler returns. */
export const success = (
  endpoint: HttpApiEndpoint.Top,
  annotations: Parts.Annotations = endpoint.annotations
): Encode => {
  const options = optionsOf(annotations, HttpApi.SuccessParseOptions)
  const schemas = endpoint.success.size === 0 ? [HttpApiSchema.NoContent] : [...endpoint.success]
  const plain: Array<Member> = []
  const carrying: Array<Member> = []
  const headers = new Map<number, Decoding.Decode>()
  for (const schema of schemas) {
    const status = EffectInternals.getStatusSuccessSchema(schema)
    const one = member(schema, status, options)
    plain.push(one)
    if (!HttpApiSchema.isWithHeaders(schema)) continue
    carrying.push(one)
    headers.set(status, encoding(schema.headers, options.headers))
  }
  const value = union(plain)
  if (carrying.length === 0) return value
  const body = union(carrying)
  return (result) =>
    EffectInternals.isWithHeadersValue(result) && result.headers !== undefined
      ? Effect.flatMapEager(body(result.body), (encoded) =>
          // Only members with headers encode this body, so its status is in the map.
          addHeaders(encoded, headers.get(encoded.status)!(result.headers))
        )
      : value(EffectInternals.isWithHeadersValue(result) ? result.body : result)
}

/** Returns the encoder of the errors that an endpoint declares. It fails for any other error. */
export const failure = (
  endpoint: HttpApiEndpoint.Top,
  annotations: Parts.Annotations = endpoint.annotations
): Encode => {
  const options = optionsOf(annotations, HttpApi.ErrorParseOptions)
  return union(
    EffectInternals.getErrorSchemas(endpoint).map((schema) => {
      const body = member(schema, EffectInternals.getStatusErrorSchema(schema), options)
      return HttpApiSchema.isWithHeaders(schema)
        ? pair({
            body: body.encode,
            headers: encoding(schema.headers, options.headers),
            // The schema has checked the value.
            pairOf: (value) => value as HttpApiSchema.withHeaders<unknown, unknown>,
            value: Decoding.make(SchemaAST.flip(schema.ast), options.body)
          })
        : body
    })
  )
}

interface PartOptions {
  readonly body: SchemaAST.ParseOptions | undefined
  readonly headers: SchemaAST.ParseOptions | undefined
}

const optionsOf = <Part>(
  annotations: Parts.Annotations,
  part: Context.Key<Part, SchemaAST.ParseOptions>
): PartOptions => ({
  body: Parts.parseOptions(annotations, part),
  headers: Parts.parseOptions(annotations, HttpApi.HeadersParseOptions)
})

const encoding = (schema: Schema.Top, options: SchemaAST.ParseOptions | undefined) =>
  Decoding.make(SchemaAST.flip(schema.ast), options).first

/** The encoder of one schema among those of an endpoint. */
interface Member {
  /**
   * Returns the reply, `DirectResult.refused`, or `DirectResult.undecided` if `encode` has to
   * decide.
   */
  readonly attempt: (
    value: unknown
  ) => EncodedReply | typeof DirectResult.refused | typeof DirectResult.undecided
  readonly encode: Encode
}

const member = (schema: Schema.Top, status: number, options: PartOptions): Member => {
  const annotation = EffectInternals.getWithHeadersAnnotation(schema.ast)
  if (annotation !== undefined) {
    const { body, bodyCodec, headersCodec, transformation } = annotation
    return pair({
      body: bodyOf(bodyCodec, body, status, options.body).encode,
      headers: encoding(headersCodec, options.headers),
      pairOf: transformation.encode,
      value: Decoding.make(SchemaAST.flip(SchemaAST.toType(schema.ast)), options.body)
    })
  }
  const body = HttpApiSchema.isWithHeaders(schema) ? schema.schema : schema
  return bodyOf(body, schema, status, options.body)
}

/** Returns the encoder of a body. The annotations of `described` set its form on the wire. */
const bodyOf = (
  body: Schema.Top,
  described: Schema.Top,
  status: number,
  options: SchemaAST.ParseOptions | undefined
): Member => {
  const { direct, first } = Decoding.make(SchemaAST.flip(body.ast), options)
  const { _tag, contentType } = EffectInternals.getResponseEncodingSchema(described)
  const empty: EncodedReply = { body: "", contentType: undefined, headers: none, status }
  const isEmpty = HttpApiSchema.isNoContent(body.ast)
  const text = texts[_tag]
  const isProblem = _tag === "Json" && Problem.isProblem(contentType)
  const write = (value: unknown): EncodedReply => {
    if (_tag === "Json" && (isEmpty || value === undefined)) return empty
    // A schema with this content type encodes to an object.
    if (isProblem)
      return { ...empty, contentType, problem: value as NonNullable<EncodedReply["problem"]> }
    return { body: text(value), contentType, headers: none, status }
  }
  return {
    attempt: (value) => {
      const encoded = direct(value)
      return encoded === DirectResult.refused || encoded === DirectResult.undecided
        ? encoded
        : write(encoded)
    },
    encode: (value) => Effect.mapEager(first(value), write)
  }
}

const none: ReadonlyArray<string> = []

/**
 * The functions from an encoded value to a body. The casts hold because `HttpApiSchema` pairs
 * each encoding with such schemas.
 */
const texts: Readonly<
  Record<EffectInternals.ResponseEncoding["_tag"], (value: unknown) => string | Uint8Array>
> = {
  FormUrlEncoded: (value) => UrlParams.toString(UrlParams.fromInput(value as UrlParams.Input)),
  // A function or a symbol has no JSON.
  Json: (value) => JSON.stringify(value) ?? "",
  Text: (value) => (value === undefined ? "" : (value as string)),
  Uint8Array: (value) => value as Uint8Array
}

/** Returns the encoder of values that have, or are split into, a body and headers. */
const pair = ({
  body,
  headers,
  pairOf,
  value
}: {
  readonly body: Encode
  readonly headers: Decoding.Decode
  readonly pairOf: (value: unknown) => { readonly body: unknown; readonly headers: unknown }
  readonly value: Decoding.Decoding
}): Member => ({
  attempt: (result) =>
    value.direct(result) === DirectResult.refused ? DirectResult.refused : DirectResult.undecided,
  encode: (result) =>
    Effect.flatMapEager(value.first(result), (checked) => {
      const parts = pairOf(checked)
      return Effect.flatMapEager(body(parts.body), (encoded) =>
        addHeaders(encoded, headers(parts.headers))
      )
    })
})

const addHeaders = (
  encoded: EncodedReply,
  headers: ReturnType<Decoding.Decode>
): ReturnType<Encode> =>
  Effect.mapEager(headers, (input): EncodedReply => {
    // A schema of headers encodes to names and values.
    const { "content-type": contentType = encoded.contentType, ...rest } = Headers.fromInput(
      input as Headers.Input
    )
    return { ...encoded, contentType, headers: ReplyHeaders.fromRecord(rest) }
  })

/** Returns the encoder of the first of several schemas that takes the value. */
const union = (members: ReadonlyArray<Member>): Encode => {
  const last = members.at(-1)?.encode ?? neverEncode
  const from = (value: unknown, at: number): ReturnType<Encode> => {
    if (at + 1 >= members.length) return last(value)
    const encoded = members[at]!.encode(value)
    if (!Exit.isExit(encoded)) return Effect.catch(encoded, () => from(value, at + 1))
    return encoded._tag === "Success" || Cause.hasDies(encoded.cause)
      ? encoded
      : from(value, at + 1)
  }
  return (value) => {
    for (let i = 0; i < members.length; i++) {
      const encoded = members[i]!.attempt(value)
      if (encoded === DirectResult.undecided) return from(value, i)
      if (encoded !== DirectResult.refused) return Exit.succeed(encoded)
    }
    return last(value)
  }
}

// It fails for every value, so the type of its success does not matter.
const neverEncode = Decoding.make(SchemaAST.never).first as Encode
