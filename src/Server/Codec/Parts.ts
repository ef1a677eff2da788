/** The parts of a request that an endpoint decodes before its body: path, headers and query. */
import * as Context from "effect/Context"
import * as HttpApi from "effect/http-api/HttpApi"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import * as Decoding from "./Decoding.ts"
import type { Strict } from "./Strict.ts"

/** Decodes one part of a request. */
export interface Decoder extends Decoding.Decoding {
  readonly kind: "Headers" | "Params" | "Payload" | "Query"
  readonly part: "headers" | "params" | "payload" | "query"
}

/** The annotations of an endpoint over those of its group, among them parse options. */
export type Annotations = Context.Context<never>

/** Returns the parse options of a part, or else those of all parts. */
export const parseOptions = <Part>(
  annotations: Annotations,
  part: Context.Key<Part, SchemaAST.ParseOptions>
): SchemaAST.ParseOptions | undefined =>
  Context.getOrUndefined(annotations, part) ??
  Context.getOrUndefined(annotations, HttpApi.ParseOptions)

/**
 * Returns the decoders of an endpoint's path, headers and query, in the order in which they
 * run.
 */
export const decoders = (
  endpoint: HttpApiEndpoint.Top,
  strict: Strict,
  annotations: Annotations = endpoint.annotations
): ReadonlyArray<Decoder> => {
  const { headers, params, query } = endpoint
  const found: Array<Decoder> = []
  if (params !== undefined) {
    const options = parseOptions(annotations, HttpApi.ParamsParseOptions)
    found.push({ ...Decoding.make(strict(params.ast), options), kind: "Params", part: "params" })
  }
  if (headers !== undefined) {
    const options = parseOptions(annotations, HttpApi.HeadersParseOptions)
    found.push({ ...Decoding.make(strict(headers.ast), options), kind: "Headers", part: "headers" })
  }
  if (query !== undefined) {
    const options = parseOptions(annotations, HttpApi.QueryParseOptions)
    const { ast } = Schema.toCodecArrayFromSingle(query)
    found.push({ ...Decoding.make(strict(ast), options), kind: "Query", part: "query" })
  }
  return found
}
