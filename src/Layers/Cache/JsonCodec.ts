/** The functions that turn values into JSON and back, compiled once for each schema. */
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as CompiledJson from "../../Contract/CompiledJson.ts"

/** The functions of a schema. */
export interface JsonCodec<A> {
  readonly decode: (input: unknown) => Effect.Effect<A, Schema.SchemaError>
  readonly encode: (value: unknown) => Effect.Effect<unknown, Schema.SchemaError>
}

const made = new WeakMap<object, JsonCodec<unknown>>()

const make = <A>(schema: Schema.Codec<A, unknown>): JsonCodec<A> => {
  const { decoding, encoding } = CompiledJson.of(schema)
  return {
    decode: Schema.decodeUnknownEffect(decoding),
    encode: Schema.encodeUnknownEffect(encoding)
  }
}

/** Returns the functions of a schema. They are made once for each schema object. */
export const of = <A>(schema: Schema.Codec<A, unknown>): JsonCodec<A> => {
  const found = made.get(schema)
  // The functions under a schema were made from it.
  if (found !== undefined) return found as JsonCodec<A>
  const codec = make(schema)
  made.set(schema, codec)
  return codec
}
