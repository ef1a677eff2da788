/** Clients of apps that send their errors in an envelope. */
import * as Effect from "effect/Effect"
import type * as HttpApi from "effect/http-api/HttpApi"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as ProblemDetails from "effect/http/ProblemDetails"
import * as ErrorEnvelope from "./ErrorEnvelope.ts"

/**
 * Returns the `transformClient` of a contract's typed client: it turns errors in the envelope of
 * the contract into problem documents, which the typed client decodes. A reply that is not in the
 * envelope stays as it is; without an envelope, every reply does.
 *
 * `app.api` has the envelope of the app. A contract that is put together in a browser gets it with
 * the annotation `ErrorEnvelope.Envelope`.
 *
 * @example
 * ```ts
 * import * as HttpApi from "effect/http-api/HttpApi"
 * import * as HttpApiClient from "effect/http-api/HttpApiClient"
 * import * as Schema from "effect/Schema"
 * import { EnvelopedClient, ErrorEnvelope } from "flange/Contract"
 *
 * const errors = ErrorEnvelope.make({
 *   decode: ({ error }) => ({ code: error }),
 *   encode: ({ code }) => ({ error: code }),
 *   schema: Schema.Struct({ error: Schema.String })
 * })
 * const api = HttpApi.make("shop").annotate(ErrorEnvelope.Envelope, errors)
 * const client = HttpApiClient.make(api, {
 *   baseUrl: "https://shop.example.com",
 *   transformClient: EnvelopedClient.transform(api)
 * })
 * ```
 */
export const transform = (
  api: Pick<HttpApi.Top, "annotations">
): ((client: HttpClient.HttpClient) => HttpClient.HttpClient) => {
  const envelope = ErrorEnvelope.of(api)
  if (envelope === undefined) return (client) => client
  const expected = ErrorEnvelope.mediaType(envelope.contentType)
  return HttpClient.transformResponse(
    Effect.flatMap((response) => {
      const { headers, request, status } = response
      if (status < 400 || ErrorEnvelope.mediaType(headers["content-type"] ?? "") !== expected) {
        return Effect.succeed(response)
      }
      return Effect.map(response.text, (text) => {
        const problem = envelope.read(text, status)
        if (problem === undefined) return response
        const document = new Response(JSON.stringify(problem), {
          headers: { ...headers, "content-type": ProblemDetails.contentType },
          status
        })
        return HttpClientResponse.fromWeb(request, document)
      })
    })
  )
}
