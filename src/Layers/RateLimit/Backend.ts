/** Opens the store that the section chooses. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Redis from "effect/persistence/Redis"
import { problemAt } from "../../Config/ConfigError.ts"
import * as Config from "../../Config/index.ts"
import { AppRuntime } from "../../Plugin/AppRuntime.ts"
import type { SharedRedisShape } from "../../Plugin/SharedRedis.ts"
import * as Worker from "../../Plugin/Worker.ts"
import * as Key from "./Key.ts"
import * as Limit from "./Limit.ts"
import { MemoryStore } from "./MemoryStore.ts"
import { isLimited } from "./OpenApiLimits.ts"
import { RateLimitConfig } from "./RateLimitConfig.ts"
import { RedisStore } from "./RedisStore.ts"
import type { Shape } from "./Store.ts"

/** The plugin does not have the backend that the configuration chooses. */
export class RateLimitBackendError extends Data.TaggedError("RateLimitBackendError")<{
  readonly message: string
}> {}

/** The Redis that the plugins of an app share. */
export interface RedisServices {
  readonly redis: Redis.Redis["Service"]
  readonly shared: SharedRedisShape
}

/** Fails if an exempt key has a name that no request's key has. */
const checkExempt = Effect.gen(function* () {
  const { exempt } = yield* RateLimitConfig
  const { description } = yield* AppRuntime
  const names = [
    "caller",
    "ip",
    ...description.plugins
      .flatMap(({ contributions }) => contributions)
      .filter(({ kind }) => kind === Key.kind.name)
      .map(({ name }) => name)
  ]
  const problems = exempt
    .filter((key) => !names.includes(key.slice(0, key.indexOf(":"))))
    .map((key) =>
      problemAt(
        "rateLimit.exempt",
        "the configuration",
        `a key that begins with ${names.map((name) => `${name}:`).join(", ")}`,
        `The key "${key}" can never match: no plugin contributes an extractor of this name. Correct it, or contribute RateLimit.key("${key.slice(0, key.indexOf(":"))}", ...).`
      )
    )
  if (problems.length > 0) return yield* new Config.ConfigError({ problems })
})

/** Fails if an endpoint costs more than the limit of the configuration allows at once. */
const checkCosts = Effect.gen(function* () {
  const config = yield* RateLimitConfig
  const { api } = yield* AppRuntime
  const { burst, enabled, limit } = config
  if (!enabled) return
  const problems = Object.values(api.groups).flatMap((contract) =>
    Object.values(contract.endpoints)
      .filter((endpoint) => isLimited(endpoint, contract))
      .flatMap((endpoint) => {
        const route = { contract, endpoint, group: contract.identifier }
        const [found] = Limit.declared({
          access: { chain: "default", type: "protected" },
          ...route
        })
        if (found === undefined || found.policy !== undefined) return []
        const { capacity, cost } = Limit.ruleOf(found, config)
        if (cost <= capacity) return []
        return [
          problemAt(
            burst === undefined ? "rateLimit.limit" : "rateLimit.burst",
            "the configuration",
            `a number from ${cost}`,
            `The route "${endpoint.method} ${endpoint.path}" has RateCost ${cost}, and the limit of the configuration allows ${burst ?? limit} at once: no request could ever pass. Lower the cost, or raise rateLimit.limit or rateLimit.burst.`
          )
        ]
      })
  )
  if (problems.length > 0) return yield* new Config.ConfigError({ problems })
})

/** Opens the store. */
export const open = (
  redis: RedisServices | undefined,
  defaultBackend: "memory" | "redis"
): Effect.Effect<
  Shape,
  Config.ConfigError | RateLimitBackendError,
  (typeof RateLimitConfig)["Identifier"] | AppRuntime
> =>
  Effect.gen(function* () {
    yield* checkExempt
    yield* checkCosts
    const { backend = defaultBackend, enabled, maxKeys } = yield* RateLimitConfig
    if (backend === "redis") {
      if (redis === undefined) {
        return yield* new RateLimitBackendError({
          message:
            'rateLimit.backend is "redis", and RateLimit.plugin has no Redis. List Redis.plugin and RateLimit.withRedis in its place, or choose "memory".'
        })
      }
      return new RedisStore(redis.redis, redis.shared.prefix)
    }
    if (enabled) {
      yield* Worker.warnIfSeveral(
        (count) =>
          `Each of the ${count} processes of app.replicas and server.workers counts requests for itself, so that callers may send up to ${count} times the limits. List Redis.plugin and RateLimit.withRedis to count them together.`
      )
    }
    return new MemoryStore(maxKeys)
  })
