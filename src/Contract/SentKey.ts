/** The idempotency key that a typed client sends. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"

/** The header of the key, in lower case. Source: draft-ietf-httpapi-idempotency-key-header-07. */
export const header = "idempotency-key"

/** The key of the requests that a fiber sends; undefined for none. */
export const SentKey: Context.Reference<string | undefined> = Context.Reference<string | undefined>(
  "flange/SentKey",
  { defaultValue: () => undefined }
)

/** Methods whose requests can be repeated anyway. */
const safe: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE"])

/** Adds the key to the requests of a client. A header that the request has already is kept. */
export const transform = (client: HttpClient.HttpClient): HttpClient.HttpClient =>
  HttpClient.mapRequestEffect(client, (request) =>
    Effect.map(SentKey, (key) =>
      key === undefined || safe.has(request.method) || request.headers[header] !== undefined
        ? request
        : // As a string of a structured field.
          HttpClientRequest.setHeader(
            request,
            header,
            `"${key.replaceAll(/["\\]/g, String.raw`\$&`)}"`
          )
    )
  )
