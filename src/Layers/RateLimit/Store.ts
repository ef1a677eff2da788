/** The service that counts requests. */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type { Take, Taken } from "./Rule.ts"

/** The store did not decide. */
export class RateLimitStoreError extends Data.TaggedError("RateLimitStoreError")<{
  readonly cause: unknown
}> {}

/** Counts the requests of all callers. */
export interface Shape {
  /**
   * Decides about a request, and returns what each count says, in the order of `takes`. If all counts
   * have enough units, the units are taken from all of them. Otherwise nothing is taken.
   */
  readonly take: (
    takes: ReadonlyArray<Take>
  ) => Effect.Effect<ReadonlyArray<Taken>, RateLimitStoreError>
}

/**
 * Counts the requests of all callers. `RateLimit.plugin` provides one in the memory of the process,
 * `RateLimit.withRedis` one in Redis.
 */
export class Store extends Context.Service<Store, Shape>()("flange/RateLimit/Store") {}
