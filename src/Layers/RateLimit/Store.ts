/** The service that keeps the buckets. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { RateLimiterStore } from "effect/persistence/RateLimiter"
import { Buckets } from "./Buckets.ts"
import { RateLimitConfig } from "./RateLimitConfig.ts"

/** The part of Effect's `RateLimiterStore` that limits of requests need. */
export type Shape = Pick<RateLimiterStore["Service"], "tokenBucket">

/**
 * Keeps the buckets of all callers. The plugin provides one in the memory of the process; any
 * `RateLimiterStore` of Effect can replace it.
 */
export class Store extends Context.Service<Store, Shape>()("flange/RateLimit/Store") {}

/** A store in memory. Tokens can be taken from its `buckets` synchronously, without a fiber. */
export class Memory implements Shape {
  readonly buckets: Buckets
  readonly tokenBucket: Shape["tokenBucket"]

  constructor(maxKeys: number) {
    const buckets = new Buckets(maxKeys)
    this.buckets = buckets
    this.tokenBucket = ({ allowOverflow, key, limit, refillRate, tokens }) =>
      Effect.withFiber((fiber) =>
        Effect.succeed(
          buckets.take({
            allowOverflow,
            key,
            limit,
            now: fiber.getRef(Clock.Clock).currentTimeMillisUnsafe(),
            refillMillis: Duration.toMillis(refillRate),
            tokens
          })
        )
      )
  }
}

/**
 * Creates a store in memory that keeps at most `maxKeys` buckets. It uses the clock of the calling
 * fiber.
 *
 * @example
 * ```ts
 * import * as Duration from "effect/Duration"
 * import * as Effect from "effect/Effect"
 * import * as RateLimit from "flange/RateLimit"
 *
 * const store = RateLimit.memory({ maxKeys: 1000 })
 * const take = store.tokenBucket({
 *   allowOverflow: false,
 *   key: "ada",
 *   limit: 2,
 *   refillRate: Duration.seconds(30),
 *   tokens: 1
 * })
 * Effect.runSync(Effect.map(take, ([remaining]) => remaining)) // => 1
 * ```
 */
export const memory = ({
  maxKeys
}: {
  /** The most buckets. */
  readonly maxKeys: number
}): Shape => new Memory(maxKeys)

/** `memory` with `rateLimit.maxKeys`. */
export const layer = Layer.effect(Store, Effect.map(RateLimitConfig, memory))
