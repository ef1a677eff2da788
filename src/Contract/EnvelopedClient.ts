/** Clients of apps that send their errors in an envelope. */
import * as Effect from "effect/Effect"
import type * as HttpApi from "effect/http-api/HttpApi"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as ProblemDetails from "effect/http/ProblemDetails"
import * as ErrorEnvelope from "./ErrorEnvelope.ts"

/**
 * Returns a function that makes a client turn errors in the envelope of the contract into problem
 * documents. A reply that is not in the envelope stays as it is; without an envelope, every reply
 * does.
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
