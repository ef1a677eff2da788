/**
 * Health checks that plugins contribute. They are data here; the Health battery
 * runs them off the request path.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/**
 * What a failing check means.
 *
 * - `critical`: this process cannot serve; readiness turns 503
 * - `informational`: only reported
 * - `shared`: something that all replicas share is down; reported as degraded,
 *   readiness stays, because taking every replica out makes the outage worse
 */
export type Class = "critical" | "informational" | "shared"

/** A named question about a component, asked in the background. */
export interface HealthCheck<out R = never> {
  /** Succeeds when the component works; any failure is reported without its inside. */
  readonly check: Effect.Effect<unknown, unknown, R>
  /** What a failure means. */
  readonly class: Class
  /** How long one run may take; after it the component counts as down. */
  readonly timeout: Duration.Duration
}

/** What `Plugin.make` takes as a health check: the check, or an effect alone. */
export type Input<R> = Effect.Effect<unknown, unknown, R> | HealthCheck<R>

/** The services that the checks in the record need. */
export type Requires<H> = RequiredBy<H[keyof H]>

type RequiredBy<I> =
  I extends Effect.Effect<infer _A, infer _E, infer R>
    ? R
    : I extends HealthCheck<infer R>
      ? R
      : never

/**
 * Makes a health check. An effect alone in `health` is the same as
 * `make(effect)`: class `shared`, five seconds.
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

/** A check from what `Plugin.make` was given. */
export const fromInput = <R>(input: Input<R>): HealthCheck<R> =>
  Effect.isEffect(input) ? make(input) : input
