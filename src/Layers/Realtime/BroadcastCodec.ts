/** The functions between values and the JSON texts that replicas exchange, compiled once for each schema. */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as CompiledJson from "../../Contract/CompiledJson.ts"
import type { JsonSchema } from "./BroadcastTopic.ts"

/** The functions of a schema. */
export interface TextCodec<A> {
  /** Returns nothing for a text of another schema. */
  readonly decode: (text: string) => Option.Option<A>
  /** Throws for a value that the schema refuses. */
  readonly encode: (value: A) => string
}

const made = new WeakMap<object, TextCodec<never>>()

const make = <A>(schema: JsonSchema<A>): TextCodec<A> => {
  const { decoding, encoding } = CompiledJson.of(schema)
  const decode = Schema.decodeUnknownSync(decoding)
  const encode = Schema.encodeSync(encoding)
  return {
    // A transformation of the schema may throw too, and the text is that of another process.
    decode: Option.liftThrowable((text: string) => decode(JSON.parse(text))),
    encode: (value) => JSON.stringify(encode(value) ?? null)
  }
}

/** Returns the functions of a schema. */
export const of = <A>(schema: JsonSchema<A>): TextCodec<A> => {
  // The functions under a schema were made from it.
  const found = made.get(schema) as TextCodec<A> | undefined
  if (found !== undefined) return found
  const codec = make(schema)
  made.set(schema, codec as unknown as TextCodec<never>) // kept under its schema
  return codec
}
