/** What a call passes on from the incoming request to an internal upstream. */
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as RequestId from "../../Server/Exchange/RequestId.ts"

/** The header with the milliseconds in which the caller wants its answer. */
export const deadlineHeader = "x-request-timeout"

/**
 * Adds the request id, if the app does not set one itself, and the milliseconds that are left. Upstreams
 * of other owners get neither.
 */
export const propagate = (
  request: HttpClientRequest.HttpClientRequest,
  requestId: string,
  left: number
): HttpClientRequest.HttpClientRequest => {
  const { headers } = request
  const added: Record<string, string> = {}
  if (requestId !== "" && headers[RequestId.header] === undefined) {
    added[RequestId.header] = requestId
  }
  if (headers[deadlineHeader] === undefined) added[deadlineHeader] = String(Math.ceil(left))
  return HttpClientRequest.setHeaders(request, added)
}
