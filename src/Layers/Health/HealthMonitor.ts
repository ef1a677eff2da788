/** Runs the health checks of an app in the background and keeps what they found. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import { AppRuntime } from "../../Plugin/AppRuntime.ts"
import * as HealthCheck from "../../Plugin/HealthCheck.ts"
import * as Metering from "../../Plugin/Metering.ts"
import type { Component } from "./HealthApi.ts"
import { HealthConfig } from "./HealthConfig.ts"

/** How long a caller waits for the first round of checks. */
const firstRound = Duration.seconds(5)

/** How long a check may still take after it was interrupted to stop. */
const grace = Duration.seconds(1)

/** The state of one check. */
interface State {
  readonly check: HealthCheck.Contributed
  checkedAt: number | undefined
  /** The failures since the last success. */
  failures: number
  latencyMs: number | undefined
  /** The last run; it has not ended while the check does not let itself be interrupted. */
  run: Fiber.Fiber<unknown, unknown> | undefined
  status: Component["status"]
}

/** What the monitor offers. */
export interface HealthMonitorShape {
  /**
   * Every component as its last check found it, by name; none before `start`.
   * Until the first round has ended the caller waits for it, five seconds at most.
   */
  readonly components: Effect.Effect<ReadonlyArray<Component>>
  /** Runs the checks now, and then again and again, until `stop` or release. */
  readonly start: Effect.Effect<void>
  /** Interrupts the checks and waits for them, a second at most. What they found stays. */
  readonly stop: Effect.Effect<void>
}

/**
 * The health of the components of the app. Provided by `Health.plugin` from
 * acquire on; it checks from the ready phase to the first moment of the drain.
 *
 * The checks of a round run at the same time, each within its own timeout. A
 * component that goes down is logged as a warning with the whole cause, one that
 * comes back as info.
 */
export class HealthMonitor extends Context.Service<HealthMonitor, HealthMonitorShape>()(
  "flange/HealthMonitor"
) {
  /** The monitor of the checks in `AppRuntime`. */
  static readonly layer = Layer.effect(
    HealthMonitor,
    Effect.gen(function* () {
      const { interval } = yield* HealthConfig
      const runtime = yield* AppRuntime
      const scope = yield* Effect.scope
      const first = yield* Deferred.make<void>()
      let states: ReadonlyArray<State> | undefined
      let loop: Fiber.Fiber<unknown> | undefined

      // The list of checks is complete from the ready phase on.
      const all = () =>
        (states ??= runtime.contributions(HealthCheck.kind).map(initial).sort(byName))

      const round = Effect.suspend(() =>
        Effect.forEach(all(), run, { concurrency: "unbounded", discard: true })
      )
      const pause = Effect.flatMap(Random.next, (random) =>
        // Without checks there is nothing to repeat, however far a test moves its clock.
        all().length === 0
          ? Effect.never
          : Effect.sleep(Duration.times(interval, 0.9 + random * 0.2))
      )
      const stop = Effect.gen(function* () {
        if (loop === undefined) return
        yield* Fiber.interrupt(loop)
        yield* Deferred.succeed(first, undefined)
        yield* Effect.timeoutOption(Fiber.awaitAll(all().flatMap(unended)), grace)
      })
      yield* Effect.addFinalizer(() => Effect.interruptible(stop))
      return {
        components: Effect.gen(function* () {
          if (loop === undefined) return []
          yield* Effect.timeoutOption(Deferred.await(first), firstRound)
          return all().map(toComponent)
        }),
        start: Effect.gen(function* () {
          if (loop !== undefined) return
          yield* Metering.readings(all().flatMap(readings))
          loop = yield* round.pipe(
            Effect.tap(() => Deferred.succeed(first, undefined)),
            Effect.andThen(pause),
            Effect.forever,
            Effect.forkIn(scope)
          )
        }),
        stop
      }
    })
  )
}

const initial = (check: HealthCheck.Contributed): State => ({
  check,
  checkedAt: undefined,
  failures: 0,
  latencyMs: undefined,
  run: undefined,
  status: "unknown"
})

/** Returns the metrics of a check: 1 for the state that it is in, and 0 for each other one. */
const readings = (state: State): ReadonlyArray<Metering.Reading> =>
  (["degraded", "down", "unknown", "up"] as const).map((status) => ({
    attributes: {
      "flange.health.class": state.check.data.class,
      "flange.health.component": state.check.name,
      "flange.health.state": status
    },
    description: "State of the components that health checks check: 1 for the state of now",
    id: "flange.health.component",
    read: () => (state.status === status ? 1 : 0),
    type: "gauge"
  }))

const unended = ({ run }: State) =>
  run?.pollUnsafe() === undefined && run !== undefined ? [run] : []

const byName = (a: State, b: State) =>
  a.check.name < b.check.name ? -1 : a.check.name > b.check.name ? 1 : 0

const toComponent = ({ check, checkedAt, latencyMs, status }: State): Component => ({
  name: check.name,
  status,
  class: check.data.class,
  ...(latencyMs === undefined ? {} : { latencyMs }),
  ...(checkedAt === undefined ? {} : { checkedAt: new Date(checkedAt).toISOString() })
})

/** Runs one check and writes down what it found. */
const run = (state: State): Effect.Effect<void> =>
  Effect.gen(function* () {
    const begin = yield* Clock.monotonicTimeNanos
    const exit = yield* attempt(state)
    state.latencyMs = Number(((yield* Clock.monotonicTimeNanos) - begin) / 10_000n) / 100
    state.checkedAt = yield* Clock.currentTimeMillis
    const before = state.status
    state.failures = Exit.isSuccess(exit) ? 0 : state.failures + 1
    state.status = statusOf(state, exit)
    if (state.status === before) return
    const { data, name, plugin } = state.check
    const component = `Component "${name}" of plugin "${plugin}"`
    if (Exit.isFailure(exit)) {
      const what =
        state.status === "down"
          ? `is down (${data.class})`
          : `fails (${data.class}), and is down after ${data.failureThreshold} failures in a row`
      yield* Effect.logWarning(`${component} ${what}`, exit.cause)
    } else if (exit.value instanceof HealthCheck.Degraded) {
      yield* Effect.logWarning(`${component} is degraded: ${exit.value.reason}`)
    } else if (before !== "unknown") {
      yield* Effect.logInfo(`${component} is up again`)
    }
  })

const statusOf = (
  { check, failures, status }: State,
  exit: Exit.Exit<unknown, unknown>
): Component["status"] => {
  if (Exit.isSuccess(exit)) return exit.value instanceof HealthCheck.Degraded ? "degraded" : "up"
  const wasUp = status === "degraded" || status === "up"
  return wasUp && failures < check.data.failureThreshold ? "degraded" : "down"
}

/**
 * The outcome of a check within its timeout. The check runs in a fiber of its
 * own, so that one that cannot be interrupted does not keep the others waiting;
 * it is not started again before it has ended.
 */
const attempt = (state: State): Effect.Effect<Exit.Exit<unknown, unknown>> =>
  Effect.gen(function* () {
    const {
      data: { timeout },
      value: check
    } = state.check
    if (unended(state).length > 0) {
      return late(timeout, "the check that was started before has not ended")
    }
    const fiber = yield* Effect.forkDetach(check)
    state.run = fiber
    const exit = yield* Fiber.await(fiber).pipe(
      Effect.timeoutOption(timeout),
      Effect.onInterrupt(() => Effect.sync(() => fiber.interruptUnsafe()))
    )
    if (exit._tag === "Some") return exit.value
    fiber.interruptUnsafe()
    return late(timeout, "the check did not end")
  })

const late = (timeout: Duration.Duration, what: string) =>
  Exit.failCause(Cause.fail(new Error(`${what} within ${Duration.format(timeout)}`)))
