/** A call: its attempts, within the limits of its upstream. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { type HttpClientError, TransportError } from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import { within } from "../../Plugin/Arrivals.ts"
import { during, remaining } from "../../Plugin/Deadline.ts"
import * as MonotonicClock from "../../Plugin/MonotonicClock.ts"
import { RequestId } from "../../Server/Exchange/RequestId.ts"
import { attempt, type Calling, expired, type Open, type Time } from "./Attempt.ts"
import { OutgoingError } from "./Errors.ts"
import { type BodyLimits, LimitedResponse } from "./LimitedResponse.ts"
import { propagate } from "./Propagation.ts"
import * as Retry from "./Retry.ts"
import type { Upstream } from "./Upstream.ts"

/** Returns the time of a call that begins now. */
export const timeOf = (upstream: Upstream): Effect.Effect<Time> =>
  Effect.map(Effect.all([MonotonicClock.millis, remaining]), ([now, left]) => {
    const own = Duration.toMillis(upstream.limits.timeout)
    return left !== undefined && left < own
      ? { isOfRequest: true, until: now + left }
      : { isOfRequest: false, until: now + own }
  })

/** The first response of two attempts, the second of which begins after `hedgeAfter`. */
const hedged = (
  upstream: Upstream,
  request: HttpClientRequest,
  one: Effect.Effect<Open, HttpClientError>
): Effect.Effect<Open, HttpClientError> => {
  const { hedgeAfter } = upstream.limits
  if (hedgeAfter === undefined || !Retry.isSafe(request)) return one
  return Effect.suspend(() => {
    let isDoubled = false
    // A failure of the first attempt, while it is alone, is that of the call.
    const first = Effect.catch(Effect.map(one, Result.succeed), (error) =>
      isDoubled ? Effect.fail(error) : Effect.succeed(Result.fail(error))
    )
    const second = Effect.suspend(() => {
      if (!upstream.budget.take()) return Effect.never
      isDoubled = true
      upstream.meters.hedged()
      return Effect.map(one, Result.succeed)
    })
    const later = within(hedgeAfter, () => second)(Effect.never)
    return Effect.flatMap(Effect.race(first, later), Effect.fromResult)
  })
}

/** Adds to a failure that the request was not sent again, and why. */
const overBudget = (
  upstream: Upstream,
  result: Result.Result<Open, HttpClientError>
): Result.Result<Open, HttpClientError> => {
  upstream.meters.spent()
  return Result.mapError(result, (error) => {
    const { reason } = error
    if (reason._tag !== "TransportError") return error
    const what = (reason.description ?? "the connection failed").replace(/\.$/, "")
    const description = `${what}. It was not sent again, because the retry budget of upstream "${upstream.name}" is used up`
    return new OutgoingError({
      reason: new TransportError({ ...reason, description })
    })
  })
}

/** Ends a response that nobody will read. */
export const discard = ({ claim, release }: Open): Effect.Effect<void> => {
  claim()
  return release
}

/** Sends a request until it has an answer, or may not be sent again. */
export const attempts = (
  calling: Calling,
  upstream: Upstream,
  request: HttpClientRequest,
  time: Time
): Effect.Effect<Open, HttpClientError> =>
  Effect.gen(function* () {
    const { budget, isInternal, limits, meters } = upstream
    const requestId = yield* RequestId
    const isIdempotent = Retry.isIdempotent(request)
    budget.add()
    for (let sent = 1; ; sent++) {
      const began = yield* MonotonicClock.millis
      if (began >= time.until) return yield* Effect.fail(expired(upstream, request, time))
      const whole = isInternal ? propagate(request, requestId, time.until - began) : request
      const one = attempt(calling, upstream, whole, time)
      const result = yield* Effect.result(
        hedged(
          upstream,
          request,
          sent === 1 ? one : Effect.annotateSpans(one, "http.request.resend_count", sent - 1)
        )
      )
      if (!isIdempotent || sent > limits.retries || !Retry.isTransient(result)) {
        return yield* Effect.fromResult(result)
      }
      // `Retry-After` may be a date.
      const now = yield* Clock.currentTimeMillis
      const random = yield* Random.next
      const wait = Retry.wait(result, { first: limits.retryDelay, now, random, sent })
      if ((yield* MonotonicClock.millis) + wait >= time.until)
        return yield* Effect.fromResult(result)
      if (!budget.take()) return yield* Effect.fromResult(overBudget(upstream, result))
      meters.retried()
      if (Result.isSuccess(result)) yield* discard(result.success)
      yield* Effect.sleep(Duration.millis(wait))
    }
  })

/** Returns a response whose body has limits. */
export const limited = (
  { claim, release, response }: Open,
  limits: BodyLimits
): HttpClientResponse =>
  response.status === 101 ? response : new LimitedResponse(response, limits, claim, release)

/** Calls an upstream. */
export const call = (
  calling: Calling,
  upstream: Upstream,
  request: HttpClientRequest
): Effect.Effect<HttpClientResponse, HttpClientError> =>
  during(
    "outgoing call",
    Effect.gen(function* () {
      const time = yield* timeOf(upstream)
      const open = yield* attempts(calling, upstream, request, time)
      const { attemptTimeout, maxResponse } = upstream.limits
      return limited(open, {
        idle: attemptTimeout,
        isStreamBounded: false,
        maxBytes: maxResponse,
        until: time.until,
        upstream: upstream.name
      })
    })
  )
