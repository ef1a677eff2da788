// Effect's own stores on the services of the plugin.
import { expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as RateLimiter from "effect/persistence/RateLimiter"
import { Redis } from "flange/Redis"
import { connect } from "../../../src/Layers/Redis/Connect.ts"
import { describeRedis, redisServer, settings } from "./server.ts"

describeRedis("A limiter of Effect on Redis.plugin", () => {
  it.live("counts together with that of another process", () =>
    Effect.gen(function* () {
      const { url } = yield* redisServer()
      const limiter = Effect.gen(function* () {
        const redis = Context.get(yield* connect(settings({ url })), Redis)
        const store = RateLimiter.layerStoreRedis({ prefix: "shop:limits:" })
        const layer = RateLimiter.layer.pipe(
          Layer.provide(store),
          Layer.provide(Layer.succeed(Redis, redis))
        )
        return Context.get(yield* Layer.build(layer), RateLimiter.RateLimiter)
      })
      const take = (one: Context.Service.Shape<typeof RateLimiter.RateLimiter>) =>
        Effect.isSuccess(
          one.consume({
            algorithm: "fixed-window",
            key: "a",
            limit: 20,
            onExceeded: "fail",
            window: "1 hour"
          })
        )
      const both = [yield* limiter, yield* limiter]
      const passed = yield* Effect.forEach(
        Array.from({ length: 50 }, (_, index) => both[index % 2]!),
        take,
        { concurrency: 10 }
      )
      expect(passed.filter(Boolean)).toHaveLength(20)
    })
  )
})
