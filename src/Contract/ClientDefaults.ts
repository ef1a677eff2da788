/** Fields of a query or a payload that a client may leave out, because they have a default. */
import * as Effect from "effect/Effect"
import type * as HttpApiClient from "effect/http-api/HttpApiClient"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import type { Simplify } from "effect/Types"
import * as OwnKeys from "./OwnKeys.ts"

/** The names of the fields with a default for decoding. */
type Defaulted<Fields extends Schema.Struct.Fields> = {
  [Key in keyof Fields]: Fields[Key] extends {
    readonly "~encoded.optionality": "optional"
    readonly "~type.optionality": "required"
  }
    ? Key
    : never
}[keyof Fields]

/** The codec of a part of the request whose fields with a default are optional. */
type Relaxed<Part extends Schema.Constraint> = [Part] extends [
  { readonly schema: Schema.Struct<infer Fields> }
]
  ? [Defaulted<Fields>] extends [never]
    ? Part
    : Schema.Constraint & {
        readonly EncodingServices: Part["EncodingServices"]
        readonly Type: Simplify<
          Omit<Part["Type"], Defaulted<Fields>> & {
            readonly [Key in Defaulted<Fields>]?: Fields[Key]["Type"]
          }
        >
      }
  : Part

interface Called<Endpoint extends HttpApiEndpoint.ConstraintRequest>
  extends HttpApiEndpoint.ConstraintRequest {
  readonly "~Error": Endpoint["~Error"]
  readonly "~Headers": Endpoint["~Headers"]
  readonly "~Middleware": Endpoint["~Middleware"]
  readonly "~Params": Endpoint["~Params"]
  readonly "~Payload": Relaxed<Endpoint["~Payload"]>
  readonly "~Query": Relaxed<Endpoint["~Query"]>
  readonly "~Success": Endpoint["~Success"]
}

/** The method of an endpoint, whose callers may leave out the fields that have a default. */
export type Method<
  Endpoint extends HttpApiEndpoint.ConstraintRequest,
  E
> = HttpApiClient.Client.Method<Called<Endpoint>, E, never>

/** Adds the defaults of the fields that a value lacks. */
type Complete = (value: unknown) => Effect.Effect<unknown, Schema.SchemaError, unknown>

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Returns the function that completes the values of a codec; `undefined` if it has no defaults. */
const completing = (codec: Schema.Top | undefined): Complete | undefined => {
  // The codec of a part has the schema that the contract declares.
  const { schema } = (codec ?? {}) as { readonly schema?: { readonly fields?: unknown } }
  if (!isRecord(schema?.fields)) return undefined
  const fields = Object.entries(schema.fields as Schema.Struct.Fields).filter(
    ([, { ast }]) => !SchemaAST.isOptional(ast) && SchemaAST.isOptional(SchemaAST.toEncoded(ast))
  )
  if (fields.length === 0) return undefined
  const defaults = fields.map(
    ([name, field]) =>
      [name, OwnKeys.decodeUnknownEffect(Schema.Struct({ [name]: field }))] as const
  )
  return Effect.fnUntraced(function* (value) {
    if (!isRecord(value)) return value
    let whole = value
    for (const [name, decode] of defaults) {
      if (!Object.hasOwn(value, name) || value[name] === undefined)
        whole = { ...whole, ...(yield* decode({})) }
    }
    return whole
  })
}

/** Returns the function that adds defaults to the requests of an endpoint. */
export const make = ({ payload, query }: HttpApiEndpoint.Top): Complete | undefined => {
  const [first, ...others] = [...payload.values()].flatMap(({ schemas }) => schemas)
  const parts = Object.entries({
    // Which of several schemas a payload has is not known.
    payload: others.length === 0 ? completing(first) : undefined,
    query: completing(query)
  }).filter(([, complete]) => complete !== undefined)
  if (parts.length === 0) return undefined
  return Effect.fnUntraced(function* (request) {
    if (!isRecord(request)) return request
    let whole = request
    for (const [part, complete] of parts) {
      whole = { ...whole, [part]: yield* complete!(request[part]) }
    }
    return whole
  })
}
