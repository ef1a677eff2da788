/** The JSON form of a schema, compiled in both directions. */
import * as Schema from "effect/Schema"
import * as SchemaJITCompiler from "effect/schema/SchemaJITCompiler"
import * as SchemaAST from "effect/SchemaAST"
import * as OwnKeys from "./OwnKeys.ts"

/** The codecs of a schema: one to decode with, one to encode with. */
export interface CompiledJson<A> {
  readonly decoding: Schema.Codec<A, unknown>
  readonly encoding: Schema.Codec<A, unknown>
}

/** Compiles the JSON form of a schema. Keys that a value only inherits are missing. */
export const of = <A>(schema: Schema.Codec<A, unknown>): CompiledJson<A> => {
  const codec = Schema.toCodecJson(schema)
  const decoding = OwnKeys.decoding(codec)
  const encoding = OwnKeys.encoding(codec)
  SchemaJITCompiler.enable(decoding.ast)
  SchemaJITCompiler.enable(SchemaAST.flip(encoding.ast))
  return { decoding, encoding }
}
