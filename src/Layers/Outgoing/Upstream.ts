/** One upstream: its limits and the state of them. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Breaker from "./Breaker.ts"
import { Bulkhead } from "./Bulkhead.ts"
import type { Meters } from "./Meters.ts"
import type { Limits } from "./OutgoingConfig.ts"
import { RetryBudget } from "./RetryBudget.ts"

/** One upstream: its limits and the state of them. */
export interface Upstream {
  readonly breaker: Breaker.Breaker
  readonly budget: RetryBudget
  readonly bulkhead: Bulkhead
  /** Whether an attempt is running until its body has ended, and not only until there is a response. */
  readonly countsBodies: boolean
  /** Whether it gets the trace, the request id and the deadline of the incoming request. */
  readonly isInternal: boolean
  readonly limits: Limits
  readonly meters: Meters
  /** The name in the configuration; `other` for an upstream without one. */
  readonly name: string
}

/** Creates an upstream. `origin` names it in the log. */
export const make = ({
  isInternal,
  limits,
  meters,
  name,
  origin
}: Pick<Upstream, "isInternal" | "limits" | "meters" | "name"> & {
  readonly origin: string
}): Effect.Effect<Upstream, never, Scope.Scope> =>
  Effect.map(
    Breaker.make(limits, (to) => {
      const target = name === "other" ? origin : `upstream "${name}" (${origin})`
      switch (to) {
        case "Closed":
          return Effect.logInfo(`The circuit of ${target} is closed again.`)
        case "HalfOpen":
          return Effect.void
        case "Open":
          return Effect.logWarning(
            `The circuit of ${target} is open: too many of the last calls failed. Calls are refused for ${Duration.format(limits.breakerOpen)}.`
          )
      }
    }),
    (breaker) => ({
      breaker,
      budget: new RetryBudget(limits.retryBudget),
      bulkhead: new Bulkhead(limits.maxConcurrent, limits.maxWaiting),
      // The connections to its origin are limited.
      countsBodies: false,
      isInternal,
      limits,
      meters,
      name
    })
  )
