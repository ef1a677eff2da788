/** The form in which an app sends its errors, if it does not send problem documents. */
import * as Context from "effect/Context"
import type * as HttpApi from "effect/http-api/HttpApi"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import type { Issue } from "./Catalogue.ts"
import * as ProblemBody from "./ProblemBody.ts"

/** A problem document (RFC 9457). It has what the client may know of the error, and no more. */
export interface Problem {
  /** The error's own fields that the client gets. */
  readonly [field: string]: unknown
  /** The name of the error for programs. */
  readonly code: string
  /** The request id. */
  readonly correlationId: string
  /** A sentence about this occurrence. */
  readonly detail: string
  /** The problems of a bad request. */
  readonly errors?: ReadonlyArray<Issue>
  /** The path of the request; undefined if it could not be read. */
  readonly instance?: string | undefined
  readonly status: number
  /** The kind of error in words. */
  readonly title: string
  /** A URI of the kind of error. */
  readonly type: string
}

/** The members of a problem document that `decode` finds in a body. */
export interface Decoded {
  readonly [field: string]: unknown
  readonly code: string
  readonly detail?: string | undefined
}

/** The request that an error answers. */
export interface Request {
  /**
   * Returns the value of a header by its lower-case name; undefined if the request has none or
   * could not be read.
   */
  readonly header: (name: string) => string | undefined
  /** Undefined if it could not be read. */
  readonly method: string | undefined
  readonly requestId: string
  /** Path and query; undefined if it could not be read. */
  readonly target: string | undefined
}

/** The form of an app's error bodies. `make` creates one. */
export interface ErrorEnvelope {
  readonly contentType: string
  /** Returns the members of a problem document; undefined if the body is not in this form. */
  readonly read: (body: string, status: number) => object | undefined
  /** The schema of the bodies. */
  readonly schema: Schema.Top
  /** Returns the body for a problem. Throws if that is not possible. */
  readonly write: (problem: Problem, request: Request) => string
}

/**
 * Creates the form of an app's error bodies: `App.make(id, plugins, { errors })`. Every error that
 * the server sends as a problem document is then sent in this form: errors of contracts, those that
 * Flange itself answers with, and those of requests that a listener refuses. Status and headers stay
 * the same, except `Content-Type`.
 *
 * - `encode` returns the body for a problem. If it throws, or if the body does not fit `schema`, the
 *   failure is logged and the client gets the problem document.
 * - `decode` returns the code, the detail and the error's own fields from a body, so that the typed
 *   client fails with the classes of the contract. If a required field of the class is missing, or
 *   if `decode` returns undefined, the client cannot decode the reply.
 * - `schema` is the schema of the body in the OpenAPI document, for every error of every endpoint.
 * - `contentType` is `application/json` by default. If it is not a type of JSON, `schema` has to
 *   encode to a string, which is sent as it is.
 *
 * Throws a `TypeError` if `contentType` is not a media type, or does not fit `schema`.
 *
 * @example
 * ```ts
 * import * as Schema from "effect/Schema"
 * import { App } from "flange"
 * import { ErrorEnvelope } from "flange/Contract"
 *
 * const errors = ErrorEnvelope.make({
 *   decode: ({ error }) => ({ code: error.code, detail: error.message }),
 *   encode: ({ code, detail }) => ({ error: { code, message: detail } }),
 *   schema: Schema.Struct({
 *     error: Schema.Struct({ code: Schema.String, message: Schema.String })
 *   })
 * })
 * const web = App.toWebHandler(App.make("shop", [], { errors }))
 * const reply = await web.handler(new Request("http://shop/nowhere"))
 * await reply.json() // => { error: { code: "ROUTE_NOT_FOUND", message: "No route has this path" } }
 * await web.dispose()
 * ```
 */
export const make = <A, I>({
  contentType = "application/json",
  decode,
  encode,
  schema
}: {
  /** The media type of error bodies. Default: `application/json`. */
  readonly contentType?: string
  /** Returns the members of the problem in a body; undefined if it has none. */
  readonly decode: (body: A) => Decoded | undefined
  /** Returns the body for a problem. */
  readonly encode: (problem: Problem, request: Request) => A
  /** The schema of the body. */
  readonly schema: Schema.Codec<A, I>
}): ErrorEnvelope => {
  if (!/^[!-.0-~]+\/[ -~]+$/.test(contentType)) {
    throw new TypeError(
      `The content type of an error envelope is ${JSON.stringify(contentType)}. Use a media type, such as "application/json".`
    )
  }
  const isJson = /[/+]json$/.test(mediaType(contentType))
  const codec = isJson ? Schema.toCodecJson(schema) : schema
  if (!isJson && !SchemaAST.isString(SchemaAST.toEncoded(schema.ast))) {
    throw new TypeError(
      `The content type of an error envelope is "${contentType}", and its schema does not encode to a string. Use a schema of texts, or a type of JSON.`
    )
  }
  const encodeBody = Schema.encodeUnknownSync(codec)
  const decodeBody = Schema.decodeUnknownOption(codec)
  return {
    contentType,
    read: (body, status) => {
      const decoded = decodeBody(isJson ? parsed(body) : body)
      const problem = decoded._tag === "None" ? undefined : decode(decoded.value)
      return problem && { status, type: ProblemBody.typeOf(problem.code), ...problem }
    },
    schema,
    write: (problem, request) => {
      const encoded = encodeBody(encode(problem, request))
      // The schema encodes to a string.
      return isJson ? JSON.stringify(encoded) : (encoded as string)
    }
  }
}

/** Returns the media type of a content type, without its parameters and in lower case. */
export const mediaType = (contentType: string): string =>
  contentType.split(";", 1)[0]!.trim().toLowerCase()

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The annotation of a contract whose errors are sent in an envelope. `App.make` sets it. */
export class Envelope extends Context.Service<Envelope, ErrorEnvelope>()("flange/ErrorEnvelope") {}

/** Returns the envelope of a contract; undefined if its errors are problem documents. */
export const of = ({ annotations }: Pick<HttpApi.Top, "annotations">): ErrorEnvelope | undefined =>
  // The type of annotations names no keys, but they may have any.
  Context.getOrUndefined(annotations as Context.Context<Envelope>, Envelope)
