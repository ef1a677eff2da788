/** One attempt of a call: it takes its turn, is sent, and leads to a response or a failure in time. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { identity } from "effect/Function"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import { hasProperty } from "effect/Predicate"
import * as Scope from "effect/Scope"
import { within } from "../../Plugin/Arrivals.ts"
import * as MonotonicClock from "../../Plugin/MonotonicClock.ts"
import { CallRefused, fromClient, type Limit, refusalOf, refused } from "./Errors.ts"
import type { Upstream } from "./Upstream.ts"

/** A client whose connections end with a scope. */
export type ScopedClient = HttpClient.HttpClient.With<HttpClientError, Scope.Scope>

/** What all calls of an app share. */
export interface Calling {
  readonly client: ScopedClient
  /** The scope of the app. Fibers that outlive a call end with it. */
  readonly scope: Scope.Scope
}

/** A response, whose connection ends with the time of its call unless somebody reads the body. */
export interface Open {
  /** Keeps the connection until `release`. */
  readonly claim: () => void
  /** Ends the connection if the body has not ended. */
  readonly release: Effect.Effect<void>
  readonly response: HttpClientResponse
  /** Runs an effect when the connection is released, or at once if it is not kept. */
  readonly whenReleased: (effect: Effect.Effect<void>) => Effect.Effect<void>
}

/** The time of a call. */
export interface Time {
  /** Whether the incoming request set `until`, and not the setting of the upstream. */
  readonly isOfRequest: boolean
  /** Milliseconds of the monotonic clock by which the call has to end. */
  readonly until: number
}

/** Returns the failure of a call of which a limit has been exceeded, and counts it. */
export const refuse = (
  { meters, name }: Pick<Upstream, "meters" | "name">,
  request: HttpClientRequest.HttpClientRequest,
  limit: Limit,
  detail: string,
  retryAfter?: Duration.Duration
): HttpClientError => {
  meters.refused(limit)
  return refused(request, new CallRefused({ detail, limit, retryAfter, upstream: name }))
}

/** Returns the failure of a call whose time is over. */
export const expired = (
  upstream: Pick<Upstream, "limits" | "meters" | "name">,
  request: HttpClientRequest.HttpClientRequest,
  { isOfRequest }: Time
): HttpClientError =>
  isOfRequest
    ? refuse(
        upstream,
        request,
        "deadline",
        "was given up: the time of the incoming request is over. Raise its time limit, or call faster upstreams."
      )
    : refuse(
        upstream,
        request,
        "timeout",
        `was given up after ${Duration.format(upstream.limits.timeout)}. Raise outgoing.timeout if it may take longer.`
      )

/** The name of an error for metrics: few, so a code of Node or undici, or the name of the limit. */
const nameOf = (error: HttpClientError): string => {
  const limit = refusalOf(error)?.limit
  if (limit !== undefined) return limit
  const cause = "cause" in error.reason ? error.reason.cause : undefined
  const code = hasProperty(cause, "code") ? cause.code : undefined
  return typeof code === "string" && /^[A-Z][A-Z0-9_]{2,39}$/.test(code) ? code : error.reason._tag
}

/** Checks whether a response has no body. */
const isEmpty = ({ headers, status }: HttpClientResponse, method: string): boolean =>
  method === "HEAD" || status === 204 || status === 304 || headers["content-length"] === "0"

/** Guards a response from now on: also one that a caller who has gone away never gets. */
const opened = (
  response: HttpClientResponse,
  method: string,
  { until }: Time,
  scope: Scope.Closeable,
  appScope: Scope.Scope
): Effect.Effect<Open> => {
  const release = Scope.close(scope, Exit.void)
  if (response.status === 101 || isEmpty(response, method)) {
    return Effect.succeed({ claim: () => {}, release, response, whenReleased: identity })
  }
  return Effect.gen(function* () {
    const left = Duration.millis(Math.max(0, until - (yield* MonotonicClock.millis)))
    let isClaimed = false
    const unread = yield* Effect.forkIn(
      Effect.ensuring(
        Effect.interruptible(Effect.sleep(left)),
        Effect.suspend(() => (isClaimed ? Effect.void : release))
      ),
      appScope
    )
    const claim = () => {
      isClaimed = true
      unread.interruptUnsafe()
    }
    return {
      claim,
      release,
      response,
      whenReleased: (effect) => Scope.addFinalizer(scope, effect)
    }
  })
}

/** Sends a request and waits for the head of the response. */
const send = (
  { client, scope: appScope }: Calling,
  upstream: Upstream,
  request: HttpClientRequest.HttpClientRequest,
  time: Time
): Effect.Effect<Open, HttpClientError> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const began = yield* MonotonicClock.millis
      const left = time.until - began
      const { attemptTimeout } = upstream.limits
      const isShort = Duration.toMillis(attemptTimeout) <= left
      const scope = yield* Scope.make()
      const exit = yield* Effect.exit(
        restore(
          client.execute(request).pipe(
            Scope.provide(scope),
            Effect.provideService(HttpClient.TracerPropagationEnabled, upstream.isInternal),
            Effect.mapError(fromClient),
            within(isShort ? attemptTimeout : Duration.millis(Math.max(0, left)), () =>
              Effect.fail(
                isShort
                  ? refuse(
                      upstream,
                      request,
                      "timeout",
                      `had no response within ${Duration.format(attemptTimeout)}. Raise outgoing.attemptTimeout if it may take longer.`
                    )
                  : expired(upstream, request, time)
              )
            )
          )
        )
      )
      const seconds = ((yield* MonotonicClock.millis) - began) / 1000
      if (Exit.isSuccess(exit)) {
        upstream.meters.attempt(request.method, { status: exit.value.status }, seconds)
        return yield* opened(exit.value, request.method, time, scope, appScope)
      }
      const failure = exit.cause.reasons.find((reason) => reason._tag === "Fail")
      const error = failure === undefined ? "interrupted" : nameOf(failure.error)
      upstream.meters.attempt(request.method, { error }, seconds)
      // It ends the connection of the request that was sent.
      yield* Scope.close(scope, exit)
      return yield* Effect.failCause(exit.cause)
    })
  )

/** Runs an effect when it is its turn in the bulkhead of an upstream. */
const inTurn = (
  upstream: Upstream,
  request: HttpClientRequest.HttpClientRequest,
  time: Time,
  effect: Effect.Effect<Open, HttpClientError>
): Effect.Effect<Open, HttpClientError> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.suspend(() => {
      const { maxConcurrent, maxWait, maxWaiting } = upstream.limits
      const ticket = upstream.bulkhead.enter()
      if (ticket === undefined) {
        return Effect.fail(
          refuse(
            upstream,
            request,
            "bulkhead",
            `was refused: ${maxConcurrent} are running and ${maxWaiting} waiting. Raise outgoing.maxConcurrent if the upstream bears more.`
          )
        )
      }
      const wait = Effect.flatMap(MonotonicClock.millis, (now) => {
        const left = Duration.millis(Math.max(0, time.until - now))
        const isShort = Duration.isLessThanOrEqualTo(maxWait, left)
        const late = () =>
          Effect.fail(
            isShort
              ? refuse(
                  upstream,
                  request,
                  "bulkhead",
                  `was refused: ${maxConcurrent} are running, and it waited ${Duration.format(maxWait)} for its turn. Raise outgoing.maxConcurrent if the upstream bears more.`
                )
              : expired(upstream, request, time)
          )
        return within(isShort ? maxWait : left, late)(ticket.turn)
      })
      const leave = Effect.sync(() => ticket.leave())
      return Effect.onExit(restore(Effect.andThen(wait, effect)), (exit) =>
        Exit.isSuccess(exit) && upstream.countsBodies ? exit.value.whenReleased(leave) : leave
      )
    })
  )

/** Returns a request that is the same, and not the same object: a scope belongs to one object. */
const copy = (request: HttpClientRequest.HttpClientRequest) => HttpClientRequest.modify(request, {})

/** Runs one attempt. */
export const attempt = (
  calling: Calling,
  upstream: Upstream,
  request: HttpClientRequest.HttpClientRequest,
  time: Time
): Effect.Effect<Open, HttpClientError> =>
  Effect.suspend(() =>
    upstream.breaker.execute(
      inTurn(upstream, request, time, send(calling, upstream, copy(request), time))
    )
  ).pipe(
    Effect.catchTag("CircuitBreakerError", ({ reason }) =>
      Effect.fail(
        refuse(
          upstream,
          request,
          "breaker",
          "was refused: its circuit is open, because too many of the last calls failed.",
          reason._tag === "CircuitOpen" ? reason.retryAfter : undefined
        )
      )
    )
  )
