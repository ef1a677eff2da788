/** Health checks of plugins. The Health battery runs them in the background. */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Contribution from "./Contribution.ts"

/**
 * The consequence of a failing check.
 *
 * - `critical`: readiness turns 503, because this process cannot serve
 * - `informational`: the failure is only reported
 * - `shared`: the app is reported as degraded and stays ready. All replicas share the
 *   component, so that taking them out of service would make the outage worse.
 */
export type Class = "critical" | "informational" | "shared"

/** The settings of a health check. */
export interface Settings {
  /** The consequence of a failing check. */
  readonly class: Class
  /**
   * How many runs in a row must fail before a component that was up counts as down. Until then it
   * is degraded, and a critical one still serves. Default: 1.
   */
  readonly failureThreshold: number
  /** The longest time that one run may take; after it the component counts as down. */
  readonly timeout: Duration.Duration
}

/** A check of one component of the app. */
export interface HealthCheck<out R = never> extends Settings {
  /**
   * Succeeds if the component works, and with `degraded(reason)` if it works in part. The cause of a
   * failure and the reason are logged and not reported.
   */
  readonly check: Effect.Effect<unknown, unknown, R>
}

/** A health check in the option `health` of `Plugin.make`, or its effect alone. */
export type Input<R> = Effect.Effect<unknown, unknown, R> | HealthCheck<R>

/** The value of a check whose component works in part. */
export class Degraded extends Data.TaggedClass("Degraded")<{ readonly reason: string }> {}

/**
 * Returns the value with which a check reports that its component works in part. The app is then
 * `degraded` and stays ready, for every class of check. Only the log has the reason.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { HealthCheck } from "flange"
 *
 * const lag = Effect.succeed(40)
 * export const replica = HealthCheck.make(
 *   Effect.map(lag, (seconds) =>
 *     seconds > 30 ? HealthCheck.degraded(`the replica is ${seconds} s behind`) : undefined
 *   ),
 *   { class: "critical", failureThreshold: 3 }
 * )
 * replica.failureThreshold // => 3
 * ```
 */
export const degraded = (reason: string): Degraded => new Degraded({ reason })

/** The services that the checks in the record use. */
export type Requires<H> = RequiredBy<H[keyof H]>

type RequiredBy<I> =
  I extends Effect.Effect<infer _A, infer _E, infer R>
    ? R
    : I extends HealthCheck<infer R>
      ? R
      : never

/**
 * Creates a health check. An effect alone in `health` is the same as `make(effect)`: class
 * `shared`, five seconds, down at the first failure. Throws if `failureThreshold` is not a whole
 * number from 1.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { HealthCheck } from "flange"
 *
 * const disk = HealthCheck.make(Effect.void, { class: "critical", timeout: "1 second" })
 * disk.class // => "critical"
 * ```
 */
export const make = <R>(
  check: Effect.Effect<unknown, unknown, R>,
  options: {
    /** The consequence of a failing check. Default: `shared`. */
    readonly class?: Class | undefined
    /** The failures in a row after which the component is down. Default: 1. */
    readonly failureThreshold?: number | undefined
    /** The longest time for one run of the check. Default: 5 seconds. */
    readonly timeout?: Duration.Input | undefined
  } = {}
): HealthCheck<R> => {
  const { failureThreshold = 1 } = options
  if (!Number.isSafeInteger(failureThreshold) || failureThreshold < 1) {
    throw new Error(
      `The failureThreshold of a health check is ${failureThreshold}: write a whole number from 1.`
    )
  }
  return {
    check,
    class: options.class ?? "shared",
    failureThreshold,
    timeout: Duration.fromInputUnsafe(options.timeout ?? "5 seconds")
  }
}

/** The kind of health checks: `AppRuntime.contributions(HealthCheck.kind)` returns them. */
export const kind = Contribution.kind<Settings, Effect.Effect<unknown, unknown>>()("healthCheck")

/** A health check in a running app, bound to the services of its plugin. */
export type Contributed = Contribution.Contributed<Settings, Effect.Effect<unknown, unknown>>

/** One component of the app, as its last check found it. */
export interface Component {
  /** ISO time at which the last check ended. */
  readonly checkedAt?: string
  readonly class: Class
  /** How long the last check took, in milliseconds. */
  readonly latencyMs?: number
  readonly name: string
  /**
   * `up`, `degraded` if it works in part or fails less often than its threshold, `down`, or `unknown`
   * before its first check.
   */
  readonly status: "degraded" | "down" | "unknown" | "up"
}

/**
 * Reads what the last checks found. The Health battery provides it; undefined in an app whose checks
 * nothing runs.
 */
export const Components: Context.Reference<Effect.Effect<ReadonlyArray<Component>> | undefined> =
  Context.Reference<Effect.Effect<ReadonlyArray<Component>> | undefined>(
    "flange/HealthCheck/Components",
    { defaultValue: () => undefined }
  )

/** Creates the contribution of a health check. */
export const contribute = <R>(name: string, input: Input<R>) => {
  const { check, ...settings } = Effect.isEffect(input) ? make(input) : input
  return Contribution.open(kind.name, name, settings, (services: Context.Context<R>) =>
    Effect.succeed(Effect.provideContext(check, services))
  )
}
