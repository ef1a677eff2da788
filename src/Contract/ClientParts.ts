/**
 * The parts of an endpoint as a client uses them: keys that are only inherited are missing, in what it sends and
 * in what it receives.
 */
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import type * as Schema from "effect/Schema"
import * as OwnKeys from "./OwnKeys.ts"

type Parts = Pick<HttpApiEndpoint.Top, "error" | "headers" | "payload" | "query" | "success">

/** Returns the schema itself unless keys make a difference: a copy has its codec and its annotations only. */
const changed = <S extends Schema.Top | undefined>(
  schema: S,
  change: (schema: Schema.Top) => Schema.Constraint
): S =>
  schema !== undefined && OwnKeys.matters(schema.ast) ? (change(schema) as unknown as S) : schema

const isSse = (schema: Schema.Top): schema is Schema.Top & { readonly events: Schema.Top } =>
  "_tag" in schema && schema._tag === "StreamSse"

/** The schema of the events of a stream is not in its AST. */
const received = (schema: Schema.Top): Schema.Top =>
  isSse(schema)
    ? Object.assign(schema.annotate({}), { events: changed(schema.events, OwnKeys.decoding) })
    : changed(schema, OwnKeys.decoding)

/** Returns the parts of an endpoint for a client. */
export const of = ({ error, headers, payload, query, success }: HttpApiEndpoint.Top): Parts =>
  // The copies have the types of the parts.
  ({
    error: new Set([...error].map(received)),
    headers: changed(headers, OwnKeys.encoding),
    payload: new Map(
      [...payload].map(([type, one]) => [
        type,
        { ...one, schemas: one.schemas.map((schema) => changed(schema, OwnKeys.encoding)) }
      ])
    ),
    query: changed(query, OwnKeys.encoding),
    success: new Set([...success].map(received))
  }) as unknown as Parts
