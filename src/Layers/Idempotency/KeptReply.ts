/** Replies as they are kept, and as they are sent again. */
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import * as Problem from "../../Server/Exchange/Problem.ts"
import { bytesOf, linesOf, responseOf, withLines } from "../../Server/Exchange/WireReply.ts"

const Kept = Schema.Struct({
  body: Schema.String,
  contentType: Schema.optionalKey(Schema.String),
  /** Whether `body` is in Base64. */
  isBytes: Schema.Boolean,
  /** Names in lower case and values in turn, without the type and those of one exchange. */
  lines: Schema.Array(Schema.String),
  status: Schema.Int
})

/** A record of a request whose reply is not kept, because it is a stream or too large. */
const tooLarge = ""

const decode = Schema.decodeUnknownSync(Schema.fromJsonString(Kept))

/** The header of a reply that is sent again. */
export const replayed = "idempotency-replayed"

/**
 * Headers that are not kept. Those of one exchange or one connection would be wrong in another one. A cookie
 * is a secret that would lie in the store, and an old one would replace a newer one in the client.
 */
const ownHeaders: ReadonlySet<string> = new Set([
  "age",
  "connection",
  "content-type",
  "date",
  replayed,
  "keep-alive",
  "server-timing",
  "set-cookie",
  "traceparent",
  "tracestate",
  "x-request-id"
])

/** Returns the text to keep. A stream, or a text above `maxBytes`, is kept as a mark alone. */
export const of = (response: HttpServerResponse.HttpServerResponse, maxBytes: number): string => {
  const body = bytesOf(response)
  if (body === undefined || body.length > maxBytes) return tooLarge
  const all = linesOf(response)
  const contentType = response.headers["content-type"]
  const text = JSON.stringify({
    body: typeof body === "string" ? body : Buffer.from(body).toString("base64"),
    ...(contentType === undefined ? {} : { contentType }),
    isBytes: typeof body !== "string",
    lines: all.filter((_, i) => !ownHeaders.has(all[i - (i % 2)]!)),
    status: response.status
  } satisfies typeof Kept.Encoded)
  return Buffer.byteLength(text) > maxBytes ? tooLarge : text
}

/** Returns the reply to send again; undefined if it was too large to be kept. Throws if it is damaged. */
export const toResponse = (text: string): HttpServerResponse.HttpServerResponse | undefined => {
  if (text === tooLarge) return undefined
  const { body, contentType, isBytes, lines, status } = decode(text)
  const bytes = isBytes ? Buffer.from(body, "base64") : body
  const response = withLines(responseOf(bytes, { contentType, status }), [
    ...lines,
    replayed,
    "true"
  ])
  return contentType === undefined ? Problem.asDeclared(response) : response
}
