/** An endpoint's schemas as functions: what comes in, what goes out, what it may fail with. */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import * as SchemaJITCompiler from "effect/schema/SchemaJITCompiler"
import * as SchemaAST from "effect/SchemaAST"
import * as Internals from "./HttpApiInternals.ts"

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

type Encoder = (value: unknown) => Encoded | Schema.SchemaError

const encoder = (schema: Schema.Top, status: number): Encoder => {
  SchemaJITCompiler.enable(SchemaAST.flip(schema.ast))
  const encode = Schema.encodeUnknownEffect(schema as unknown as Schema.ConstraintEncoder<unknown>)
  const { contentType } = Internals.getResponseEncodingSchema(schema)
  const empty: Encoded = { body: "", contentType: undefined, status }
  const isEmpty = HttpApiSchema.isNoContent(schema.ast)
  return (value) => {
    const encoded = encode(value)
    // An effect that has ended is its own exit.
    const exit = (Exit.isExit(encoded) ? encoded : Effect.runSyncExit(encoded)) as Exit.Exit<
      unknown,
      Schema.SchemaError
    >
    if (exit._tag === "Failure") return failureOf(exit.cause)
    return isEmpty || exit.value === undefined
      ? empty
      : { body: JSON.stringify(exit.value), contentType, status }
  }
}

const failureOf = (cause: Cause.Cause<Schema.SchemaError>): Schema.SchemaError => {
  const reason = cause.reasons[0]!
  if (reason._tag === "Fail") return reason.error
  throw reason._tag === "Die" ? reason.defect : new Error("Encoding was interrupted")
}

const union =
  (encoders: ReadonlyArray<Encoder>): Encoder =>
  (value) => {
    let result: Encoded | Schema.SchemaError | undefined
    for (const encode of encoders) {
      result = encode(value)
      if (!Schema.isSchemaError(result)) return result
    }
    return result!
  }

/** Encodes what a handler returns, or says why the contract does not have it. */
export const success = (endpoint: HttpApiEndpoint.Top): Encoder => {
  const encoders = Internals.getSuccessSchemas(endpoint).map((schema) =>
    encoder(schema, Internals.getStatusSuccessSchema(schema))
  )
  return encoders.length === 1 ? encoders[0]! : union(encoders)
}

/** Encodes a failure that the contract declares; a `SchemaError` for any other. */
export const failure = (endpoint: HttpApiEndpoint.Top): Encoder | undefined => {
  const encoders = Internals.getErrorSchemas(endpoint).map((schema) =>
    encoder(schema, Internals.getStatusErrorSchema(schema))
  )
  return encoders.length === 0 ? undefined : union(encoders)
}
