/**
 * What the compiled lane needs of `effect/http-api` that its declarations leave
 * out. The functions exist at run time in the pinned version; a test holds that.
 */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import type * as Schema from "effect/Schema"

/** How a response body is put into bytes. */
export interface ResponseEncoding {
  readonly _tag: "FormUrlEncoded" | "Json" | "Text" | "Uint8Array"
  readonly contentType: string
}

interface Internals {
  readonly getErrorSchemas: (endpoint: HttpApiEndpoint.Top) => ReadonlyArray<Schema.Top>
  readonly getResponseEncodingSchema: (schema: Schema.Top) => ResponseEncoding
  readonly getStatusErrorSchema: (schema: Schema.Top) => number
  readonly getStatusSuccessSchema: (schema: Schema.Top) => number
  readonly getSuccessSchemas: (endpoint: HttpApiEndpoint.Top) => ReadonlyArray<Schema.Top>
  readonly isStreamSchema: (schema: unknown) => boolean
  readonly isUpgrade: (schema: unknown) => boolean
}

/** The functions behind `HttpApiBuilder`'s own encoding. */
export const {
  getErrorSchemas,
  getResponseEncodingSchema,
  getStatusErrorSchema,
  getStatusSuccessSchema,
  getSuccessSchemas,
  isStreamSchema,
  isUpgrade
}: Internals =
  // Marked internal, so the declarations do not have them.
  { ...HttpApiEndpoint, ...HttpApiSchema } as unknown as Internals
