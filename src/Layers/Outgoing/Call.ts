/** A call: its attempts, within the limits of its upstream. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { type HttpClientError, TransportError } from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import { Deadline, during } from "../../Plugin/Deadline.ts"
import { RequestId } from "../../Server/Exchange/RequestId.ts"
import { attempt, expired, type Open, type ScopedClient, type Time } from "./Attempt.ts"
import { OutgoingError } from "./Errors.ts"
import { type BodyLimits, LimitedResponse } from "./LimitedResponse.ts"
import { propagate } from "./Propagation.ts"
import * as Retry from "./Retry.ts"
import type { Upstream } from "./Upstream.ts"

/** What all calls of an app share. */
export interface Calling {
  readonly client: ScopedClient
  /** The scope of the app. Fibers that outlive a call end with it. */
  readonly scope: Scope.Scope
}

/** Returns the time of a call that begins now. */
export const timeOf = (upstream: Upstream): Effect.Effect<Time> =>
  Effect.map(Effect.all([Clock.currentTimeMillis, Deadline]), ([now, deadline]) => {
    const own = now + Duration.toMillis(upstream.limits.timeout)
    return deadline !== undefined && deadline < own
      ? { isOfRequest: true, until: deadline }
      : { isOfRequest: false, until: own }
  })

/** The first good one of two attempts, the second of which begins after `hedgeAfter`. */
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
    return Effect.flatMap(Effect.race(first, Effect.delay(second, hedgeAfter)), Effect.fromResult)
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
    const description = `${reason.description ?? "the connection failed"}. It was not sent again, because the retry budget of upstream "${upstream.name}" is used up`
    return new OutgoingError({
      reason: new TransportError({ ...reason, description })
    })
  })
}

/** Sends a request until it has an answer, or may not be sent again. */
export const attempts = (
  client: ScopedClient,
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
      const began = yield* Clock.currentTimeMillis
      if (began >= time.until) return yield* Effect.fail(expired(upstream, request, time))
      const whole = isInternal ? propagate(request, requestId, time.until - began) : request
      const one = attempt(client, upstream, whole, time)
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
      const now = yield* Clock.currentTimeMillis
      const random = yield* Random.next
      const wait = Retry.wait(result, { first: limits.retryDelay, now, random, sent })
      if (now + wait >= time.until) return yield* Effect.fromResult(result)
      if (!budget.take()) return yield* Effect.fromResult(overBudget(upstream, result))
      meters.retried()
      if (Result.isSuccess(result)) yield* Scope.close(result.success.scope, Exit.void)
      yield* Effect.sleep(Duration.millis(wait))
    }
  })

/** Checks whether a response has no body to read. */
const isEmpty = ({ headers, status }: HttpClientResponse, { method }: HttpClientRequest): boolean =>
  method === "HEAD" || status === 204 || status === 304 || headers["content-length"] === "0"

/**
 * Returns a response with limits. A body that nobody begins to read ends with the time of its call, so
 * that it does not keep its connection.
 */
export const limited = (
  { response, scope }: Open,
  request: HttpClientRequest,
  limits: BodyLimits,
  appScope: Scope.Scope
): Effect.Effect<HttpClientResponse> => {
  const release = Scope.close(scope, Exit.void)
  if (response.status === 101) return Effect.succeed(response)
  if (isEmpty(response, request)) {
    return Effect.succeed(new LimitedResponse(response, limits, () => {}, release))
  }
  return Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    let isRead = false
    const unread = yield* Effect.forkIn(
      Effect.ensuring(
        Effect.sleep(Duration.millis(Math.max(0, limits.until - now))),
        Effect.suspend(() => (isRead ? Effect.void : release))
      ),
      appScope
    )
    const onRead = () => {
      isRead = true
      unread.interruptUnsafe()
    }
    return new LimitedResponse(response, limits, onRead, release)
  })
}

/** Calls an upstream. */
export const call = (
  { client, scope }: Calling,
  upstream: Upstream,
  request: HttpClientRequest
): Effect.Effect<HttpClientResponse, HttpClientError> =>
  during(
    "outgoing call",
    Effect.gen(function* () {
      const time = yield* timeOf(upstream)
      const open = yield* attempts(client, upstream, request, time)
      const { attemptTimeout, maxResponse } = upstream.limits
      return yield* limited(
        open,
        request,
        {
          idle: attemptTimeout,
          isStreamBounded: false,
          maxBytes: maxResponse,
          until: time.until,
          upstream: upstream.name
        },
        scope
      )
    })
  )
