/** Which requests are sent again, and when. */
import * as Duration from "effect/Duration"
import * as Headers from "effect/http/Headers"
import type { HttpClientError } from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import * as Result from "effect/Result"
import type { Open } from "./Attempt.ts"
import { isOutage } from "./Breaker.ts"
import { refusalOf } from "./Errors.ts"

/** The methods that may be sent again. Source: RFC 9110, section 9.2.2, and QUERY. */
const idempotent: ReadonlySet<string> = new Set([
  "DELETE",
  "GET",
  "HEAD",
  "OPTIONS",
  "PUT",
  "QUERY",
  "TRACE"
])

/** The methods that may be sent twice at the same time: they change nothing. */
const safe: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"])

/** The longest wait between two attempts, in milliseconds. */
const longestWait = 2000

/** Checks whether the body of a request can be sent a second time. */
const isRepeatable = ({ body }: HttpClientRequest): boolean =>
  body._tag === "Empty" || body._tag === "FormData" || body._tag === "Uint8Array"

/** Checks whether a request may be sent again. */
export const isIdempotent = (request: HttpClientRequest): boolean =>
  isRepeatable(request) &&
  (idempotent.has(request.method) || request.headers["idempotency-key"] !== undefined)

/** Checks whether a request may be sent twice at the same time. */
export const isSafe = (request: HttpClientRequest): boolean =>
  isRepeatable(request) && safe.has(request.method)

/** Checks whether an attempt may end otherwise if it is repeated. */
export const isTransient = (result: Result.Result<Open, HttpClientError>): boolean => {
  if (Result.isSuccess(result)) {
    const { status } = result.success.response
    return status === 429 || isOutage(status)
  }
  const error = result.failure
  const refused = refusalOf(error)
  return refused === undefined
    ? error.reason._tag === "TransportError"
    : refused.limit === "timeout"
}

/** Returns the milliseconds that a response asks to wait; undefined if it does not ask. */
const retryAfter = (result: Result.Result<Open, HttpClientError>, now: number) => {
  if (Result.isFailure(result)) return undefined
  const header = result.success.response.headers["retry-after"]
  const parsed = header === undefined ? undefined : Headers.parseRetryAfter(header)
  return parsed === undefined || Result.isFailure(parsed)
    ? undefined
    : Duration.toMillis(Headers.retryAfterDelay(parsed.success, now))
}

/**
 * Returns the milliseconds to wait before a request is sent again: a random share of a time that
 * doubles, or what the response asks for if that is longer. `random` is a number from 0 to 1.
 */
export const wait = (
  result: Result.Result<Open, HttpClientError>,
  {
    first,
    now,
    random,
    sent
  }: {
    readonly first: Duration.Duration
    readonly now: number
    readonly random: number
    /** How often the request was sent already. */
    readonly sent: number
  }
): number => {
  const longest = Math.min(longestWait, Duration.toMillis(first) * 2 ** (sent - 1))
  return Math.ceil(Math.max(random * longest, retryAfter(result, now) ?? 0))
}
