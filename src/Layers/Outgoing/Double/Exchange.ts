/** Requests and their replies, as a cassette has them. */
import * as Duration from "effect/Duration"
import type * as HttpBody from "effect/http/HttpBody"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Schema from "effect/Schema"

/** A request as it is matched. */
export const Asked = Schema.Struct({
  /** The body as text, if there is one. */
  body: Schema.optionalKey(Schema.String),
  /** A body that is not text, in base64. */
  bodyBase64: Schema.optionalKey(Schema.String),
  method: Schema.String,
  url: Schema.String
})

/** A request as it is matched. */
export type Asked = typeof Asked.Type

/** The reply to a request. */
export const Reply = Schema.Struct({
  /** The body as text. */
  body: Schema.optionalKey(Schema.String),
  /** A body that is not text, in base64. */
  bodyBase64: Schema.optionalKey(Schema.String),
  /** How long the reply takes, in milliseconds of Effect's `Clock`. Default: 0. */
  delay: Schema.optionalKey(Schema.Finite),
  /** The code with which the connection fails, such as `ECONNRESET`. There is no reply then. */
  failure: Schema.optionalKey(Schema.String),
  headers: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  /** The body as JSON. It sets the content type. */
  json: Schema.optionalKey(Schema.Json),
  /** Default: 200. */
  status: Schema.optionalKey(Schema.Int)
})

/** The reply to a request. */
export type Reply = typeof Reply.Type

/** A request with its reply. */
export const Exchange = Schema.Struct({ request: Asked, response: Reply })

/** A request with its reply. */
export type Exchange = typeof Exchange.Type

/** Returns bytes as text, or in base64 if they are no text. */
export const written = (
  bytes: Uint8Array
): { readonly body: string } | { readonly bodyBase64: string } => {
  try {
    return { body: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) }
  } catch {
    return { bodyBase64: Buffer.from(bytes).toString("base64") }
  }
}

/** Returns what is matched of a body. A stream cannot be compared. */
const bodyOf = (body: HttpBody.HttpBody): Pick<Asked, "body" | "bodyBase64"> => {
  switch (body._tag) {
    case "Empty":
      return {}
    case "FormData":
      return {
        body: JSON.stringify(
          [...body.formData].map(([name, value]) => [
            name,
            typeof value === "string" ? value : `file ${value.name}`
          ])
        )
      }
    case "Uint8Array":
      return written(body.body)
    default:
      return { body: "<stream>" }
  }
}

/** Returns what is matched of a request. */
export const askedOf = (
  { body, method }: HttpClientRequest.HttpClientRequest,
  url: URL
): Asked => ({ ...bodyOf(body), method, url: url.href })

/** Returns the delay of a reply. */
export const delayOf = ({ delay }: Reply): Duration.Duration => Duration.millis(delay ?? 0)
