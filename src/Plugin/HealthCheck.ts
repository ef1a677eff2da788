/** Health checks of plugins. The Health battery runs them in the background. */
import type * as Context from "effect/Context"
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
  readonly class: Class
  /** The longest time that one run may take; after it the component counts as down. */
  readonly timeout: Duration.Duration
}

/** A check of one component of the app. */
export interface HealthCheck<out R = never> extends Settings {
  /** Succeeds if the component works. The cause of a failure is logged and not reported. */
  readonly check: Effect.Effect<unknown, unknown, R>
}

/** A health check in the option `health` of `Plugin.make`, or its effect alone. */
export type Input<R> = Effect.Effect<unknown, unknown, R> | HealthCheck<R>

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
 * `shared`, five seconds.
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
    readonly class?: Class | undefined
    readonly timeout?: Duration.Input | undefined
  } = {}
): HealthCheck<R> => ({
  check,
  class: options.class ?? "shared",
  timeout: Duration.fromInputUnsafe(options.timeout ?? "5 seconds")
})

/** The kind of health checks: `AppRuntime.contributions(HealthCheck.kind)` returns them. */
export const kind = Contribution.kind<Settings, Effect.Effect<unknown, unknown>>()("healthCheck")

/** A health check in a running app, bound to the services of its plugin. */
export type Contributed = Contribution.Contributed<Settings, Effect.Effect<unknown, unknown>>

/** Creates the contribution of a health check. */
export const contribute = <R>(name: string, input: Input<R>) => {
  const { check, ...settings } = Effect.isEffect(input) ? make(input) : input
  return Contribution.open(kind.name, name, settings, (services: Context.Context<R>) =>
    Effect.succeed(Effect.provideContext(check, services))
  )
}
