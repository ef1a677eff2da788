/** The circuit breaker of one upstream. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { HttpClientError } from "effect/http/HttpClientError"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as CircuitBreaker from "effect/persistence/CircuitBreaker"
import type * as Scope from "effect/Scope"
import { refusalOf } from "./Errors.ts"
import type { Limits } from "./OutgoingConfig.ts"

/** The only circuit of a store: each upstream has a store of its own, which ends with it. */
const key = "upstream"

/** The states of a circuit as a gauge shows them. */
const states = { Closed: 0, HalfOpen: 1, Open: 2 } as const

/** An attempt that has led to a response. */
interface Answered {
  readonly response: HttpClientResponse
}

/** The breaker of one upstream. */
export interface Breaker {
  /** Runs an attempt, unless the circuit is open. */
  readonly execute: <A extends Answered>(
    attempt: Effect.Effect<A, HttpClientError>
  ) => Effect.Effect<A, CircuitBreaker.CircuitBreakerError | HttpClientError>
  /** Returns 0 for a closed circuit, 1 for one that tries the upstream, 2 for an open one. */
  readonly state: () => number
}

/** Checks for the statuses of an upstream, or of a proxy in front of it, that cannot serve. */
export const isOutage = (status: number): boolean => status >= 502 && status <= 504

/**
 * Returns what an attempt tells about its upstream. Refusals of the caller's own limits tell nothing. A
 * status of 500 is an answer to one request, which a caller may provoke, and not an outage.
 */
const outcomeOf = (exit: Exit.Exit<Answered, HttpClientError>): CircuitBreaker.Outcome => {
  if (Exit.isSuccess(exit)) {
    const { status } = exit.value.response
    if (status === 429) return CircuitBreaker.ignored
    return isOutage(status) ? CircuitBreaker.failure() : CircuitBreaker.success
  }
  const isFailed = exit.cause.reasons.some((reason) => {
    if (reason._tag !== "Fail" || reason.error.reason._tag !== "TransportError") return false
    const refused = refusalOf(reason.error)
    return refused === undefined || refused.limit === "timeout"
  })
  return isFailed ? CircuitBreaker.failure() : CircuitBreaker.ignored
}

/** Runs an effect whose time goes on evenly: a clock that was set back would keep a circuit open for as long. */
const steady = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.clockWith((clock) => {
    const nanos = () => clock.monotonicTimeNanosUnsafe()
    const millis = () => Number(nanos()) / 1e6
    return Effect.provideService(effect, Clock.Clock, {
      currentTimeMillis: Effect.sync(millis),
      currentTimeMillisUnsafe: millis,
      currentTimeNanos: clock.monotonicTimeNanos,
      currentTimeNanosUnsafe: nanos,
      monotonicTimeNanos: clock.monotonicTimeNanos,
      monotonicTimeNanosUnsafe: nanos,
      sleep: (duration) => clock.sleep(duration)
    })
  })

/** Creates the breaker of an upstream. `onTransition` runs for each change of its state. */
export const make = (
  limits: Limits,
  onTransition: (to: CircuitBreaker.Transition["to"]) => Effect.Effect<void>
): Effect.Effect<Breaker, never, Scope.Scope> =>
  Effect.gen(function* () {
    const memory = Context.get(
      // The state of an upstream without calls for a day is forgotten.
      yield* Layer.build(CircuitBreaker.layerStoreMemory({ idleTimeToLive: Duration.days(1) })),
      CircuitBreaker.CircuitBreakerStore
    )
    let state: keyof typeof states = "Closed"
    const tell = (transition: CircuitBreaker.Transition | undefined) => {
      if (transition === undefined) return Effect.void
      state = transition.to
      return onTransition(state)
    }
    const breaker = yield* CircuitBreaker.make({
      openDuration: limits.breakerOpen,
      tripPolicy: CircuitBreaker.rate({ size: limits.breakerCalls, threshold: limits.breakerRatio })
    }).pipe(
      Effect.provideService(CircuitBreaker.CircuitBreakerStore, {
        ...memory,
        admit: (key) => Effect.tap(steady(memory.admit(key)), ({ transition }) => tell(transition)),
        record: (options) => Effect.tap(steady(memory.record(options)), tell)
      })
    )
    return {
      execute: (attempt) => breaker.execute(attempt, { classify: outcomeOf, key }),
      state: () => states[state]
    }
  })
