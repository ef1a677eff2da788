/** The failures of outgoing calls, and the replies to requests that they end. */
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClientError from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import {
  BadGateway,
  GatewayTimeout,
  ServiceUnavailable,
  UrlRefused
} from "../../Contract/Catalogue.ts"

/**
 * The limit that refused or ended a call.
 *
 * - `breaker`: the circuit of the upstream is open. Nothing was sent.
 * - `bulkhead`: too many calls to the upstream are running and waiting, or too many names of users are being looked
 *   up. Nothing was sent.
 * - `deadline`: the time of the incoming request is over.
 * - `size`: the body of the response is too long.
 * - `timeout`: the upstream did not answer in time.
 * - `url`: a URL that must not be called: one of a user, or one that leads out of a named upstream. Nothing was
 *   sent to the address.
 */
export type Limit = "breaker" | "bulkhead" | "deadline" | "size" | "timeout" | "url"

/**
 * The reason for which a limit refused or ended a call. It is the `cause` of an `HttpClientError`, and
 * `Outgoing.refusalOf` returns it.
 */
export class CallRefused extends Data.TaggedError("CallRefused")<{
  /** Why, and which setting decides. It names no URL of a user and no address. */
  readonly detail: string
  readonly limit: Limit
  /** When a call may succeed again, if that is known. */
  readonly retryAfter?: Duration.Duration | undefined
  /** The name of the upstream in the configuration; `other` for one without a name. */
  readonly upstream: string
}> {
  override get message(): string {
    return `Call to upstream "${this.upstream}" ${this.detail}`
  }
}

const errorOf = {
  breaker: ServiceUnavailable,
  bulkhead: ServiceUnavailable,
  deadline: GatewayTimeout,
  size: BadGateway,
  timeout: GatewayTimeout,
  url: UrlRefused
} as const satisfies Record<Limit, unknown>

/**
 * The `HttpClientError` of an outgoing call. If a handler dies with it, the reply is 502, 503 or 504,
 * or 422 for a refused URL, and the log has the cause.
 */
export class OutgoingError extends HttpClientError.HttpClientError {
  [HttpServerRespondable.symbol](): Effect.Effect<HttpServerResponse.HttpServerResponse> {
    const refused = refusalOf(this)
    const error = new (refused === undefined ? BadGateway : errorOf[refused.limit])()
    const after = refused?.retryAfter
    return Effect.map(Effect.orDie(HttpServerRespondable.toResponse(error)), (response) =>
      refused === undefined || error.status !== 503
        ? response
        : HttpServerResponse.setHeader(
            response,
            "retry-after",
            String(Math.max(1, Math.ceil(after === undefined ? 1 : Duration.toSeconds(after))))
          )
    )
  }
}

/**
 * Returns the limit that refused or ended a call; undefined if the call failed for another reason, such
 * as a connection that was reset.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as HttpClient from "effect/http/HttpClient"
 * import * as Outgoing from "flange/Outgoing"
 *
 * export const isReachable = HttpClient.head("https://rates.example.com").pipe(
 *   Effect.as(true),
 *   Effect.catchTag("HttpClientError", (error) =>
 *     Outgoing.refusalOf(error)?.limit === "breaker" ? Effect.succeed(false) : Effect.fail(error)
 *   )
 * )
 * ```
 */
export const refusalOf = (error: HttpClientError.HttpClientError): CallRefused | undefined => {
  const cause = "cause" in error.reason ? error.reason.cause : undefined
  return cause instanceof CallRefused ? cause : undefined
}

/** Creates the failure of a call that a limit refused before there was a response. */
export const refused = (request: HttpClientRequest, cause: CallRefused): OutgoingError =>
  new OutgoingError({
    reason: new HttpClientError.TransportError({ cause, description: cause.message, request })
  })

/** Creates the failure of a body that a limit ended. */
export const ended = (response: HttpClientResponse, cause: CallRefused): OutgoingError =>
  new OutgoingError({
    reason: new HttpClientError.DecodeError({
      cause,
      description: cause.message,
      request: response.request,
      response
    })
  })

/** Returns the failure of the client with the reply of `OutgoingError`. */
export const fromClient = (error: HttpClientError.HttpClientError): OutgoingError =>
  error instanceof OutgoingError ? error : new OutgoingError({ reason: error.reason })

/** The configuration has no upstream of this name. */
export class UnknownUpstream extends Data.TaggedError("UnknownUpstream")<{
  readonly known: ReadonlyArray<string>
  /** The known name that this one most likely means. */
  readonly nearest: string | undefined
  readonly upstream: string
}> {
  override get message(): string {
    const { known, nearest, upstream } = this
    const hint =
      nearest !== undefined
        ? ` Did you mean "${nearest}"?`
        : known.length === 0
          ? ""
          : ` It has ${known.join(", ")}.`
    return `The configuration has no upstream "${upstream}".${hint} Set outgoing.upstreams.${upstream}.url.`
  }
}
