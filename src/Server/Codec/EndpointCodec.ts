/** An endpoint's schemas as functions: what comes in, what goes out, what it may fail with. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import * as SchemaJITCompiler from "effect/schema/SchemaJITCompiler"
import * as SchemaAST from "effect/SchemaAST"
import * as Internals from "./EffectInternals.ts"

type Decode = (input: unknown) => Effect.Effect<unknown, Schema.SchemaError>

/** Decodes one part of a request. */
export interface Decoder {
  /** The same with every issue in the error; slower, so it is asked only when `first` failed. */
  readonly all: Decode
  /** Stops at the first issue. An `Exit` unless the schema is asynchronous. */
  readonly first: Decode
  readonly kind: "Headers" | "Params" | "Payload" | "Query"
  readonly slot: "headers" | "params" | "payload" | "query"
}

const decoder = (
  kind: Decoder["kind"],
  slot: Decoder["slot"],
  schema: Schema.Top | undefined
): ReadonlyArray<Decoder> => {
  if (schema === undefined) return []
  SchemaJITCompiler.enable(schema.ast)
  // Schemas of a contract need no services to decode.
  const sync = schema as unknown as Schema.ConstraintDecoder<unknown>
  return [
    {
      all: Schema.decodeUnknownEffect(sync, { errors: "all" }),
      first: Schema.decodeUnknownEffect(sync),
      kind,
      slot
    }
  ]
}

/** The decoders of an endpoint with a JSON payload or none, in the order in which they are asked. */
export const decoders = (endpoint: HttpApiEndpoint.Top): ReadonlyArray<Decoder> => [
  ...decoder("Params", "params", endpoint.params),
  ...decoder("Headers", "headers", endpoint.headers),
  ...decoder("Query", "query", endpoint.query && Schema.toCodecArrayFromSingle(endpoint.query)),
  ...[...endpoint.payload.values()].flatMap(({ schemas }) =>
    decoder("Payload", "payload", Schema.Union(schemas))
  )
]

/** What an empty JSON body stands for. */
export const emptyPayload = (endpoint: HttpApiEndpoint.Top): null | undefined =>
  [...endpoint.payload.values()].some(({ schemas }) =>
    schemas.some((schema) => SchemaAST.isNull(SchemaAST.toEncoded(schema.ast)))
  )
    ? null
    : undefined

/** A value as it goes on the wire. `contentType` is undefined where there is no body. */
export interface Encoded {
  readonly body: string
  readonly contentType: string | undefined
  readonly status: number
}

/** An `Exit` unless the schema waits. */
type Encoder = (value: unknown) => Effect.Effect<Encoded, Schema.SchemaError>

const encoder = (schema: Schema.Top, status: number): Encoder => {
  SchemaJITCompiler.enable(SchemaAST.flip(schema.ast))
  const encode = Schema.encodeUnknownEffect(schema as unknown as Schema.ConstraintEncoder<unknown>)
  const { contentType } = Internals.getResponseEncodingSchema(schema)
  const empty: Encoded = { body: "", contentType: undefined, status }
  const isEmpty = HttpApiSchema.isNoContent(schema.ast)
  const write = (value: unknown): Encoded =>
    isEmpty || value === undefined ? empty : { body: JSON.stringify(value), contentType, status }
  return (value) => {
    const encoded = encode(value)
    // What has ended is an exit, for which no fiber is needed.
    return Exit.isExit(encoded)
      ? Exit.map(encoded as Exit.Exit<unknown, Schema.SchemaError>, write)
      : Effect.map(encoded, write)
  }
}

const union =
  (encoders: ReadonlyArray<Encoder>): Encoder =>
  (value) => {
    const from = (at: number): ReturnType<Encoder> => {
      const encoded = encoders[at]!(value)
      if (at + 1 === encoders.length) return encoded
      if (!Exit.isExit(encoded)) return Effect.catch(encoded, () => from(at + 1))
      return encoded._tag === "Success" || Cause.hasDies(encoded.cause) ? encoded : from(at + 1)
    }
    return from(0)
  }

/** Encodes what a handler returns; fails with why the contract does not have it. */
export const success = (endpoint: HttpApiEndpoint.Top): Encoder => {
  const encoders = Internals.getSuccessSchemas(endpoint).map((schema) =>
    encoder(schema, Internals.getStatusSuccessSchema(schema))
  )
  return encoders.length === 1 ? encoders[0]! : union(encoders)
}

/** Encodes a failure that the contract declares; fails with a `SchemaError` for any other. */
export const failure = (endpoint: HttpApiEndpoint.Top): Encoder | undefined => {
  const encoders = Internals.getErrorSchemas(endpoint).map((schema) =>
    encoder(schema, Internals.getStatusErrorSchema(schema))
  )
  return encoders.length === 0 ? undefined : union(encoders)
}
