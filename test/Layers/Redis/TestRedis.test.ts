// The double in the place of the plugin: outages, channels, scripts, and what it does not have.
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { App, AppRuntime, HealthCheck, Plugin } from "flange"
import * as Redis from "flange/Redis"
import { TestRedis } from "flange/Redis/Testing"
import { TestApp } from "flange/Testing"

const User = Plugin.make("app:user", { requires: [Redis.Redis, Redis.SharedRedis] })
const app = App.make("shop", [Redis.plugin, User])

const booted = (redis: TestRedis.TestRedis) =>
  TestApp.make(app, { replace: [[Redis.plugin, redis.layer]] })

const send = (command: string, ...args: ReadonlyArray<string>) =>
  Redis.Redis.use((redis) => redis.send(command, ...args))

it.effect("an app in a test without a server and a double is told about the double", () =>
  Effect.gen(function* () {
    const error = yield* Effect.flip(TestApp.make(app))
    expect(error).toMatchObject({ _tag: "RedisUrlMissing" })
    expect(String(error)).toContain("TestRedis")
  })
)

it.effect("two apps on one double are replicas: they share keys and channels", () =>
  Effect.gen(function* () {
    const redis = TestRedis.make()
    const [one, two] = [yield* booted(redis), yield* booted(redis)]
    const { prefix, subscribe } = yield* one.run(Redis.SharedRedis)
    expect(prefix).toBe("shop:")
    const queue = yield* subscribe("news")
    expect(yield* two.run(send("PUBLISH", "news", "a"))).toBe(1)
    expect(yield* Queue.take(queue)).toEqual({ _tag: "Message", channel: "news", text: "a" })
    const effects = yield* one.run(Redis.Redis.use((redis) => redis.subscribe("news")))
    yield* two.run(send("PUBLISH", "news", "b"))
    expect(yield* Queue.take(effects)).toEqual({ channel: "news", message: "b" })
    yield* two.run(send("SET", "shop:a", "1"))
    expect(yield* one.run(send("GET", "shop:a"))).toBe("1")
  })
)

it.effect("the double has the prefix and the buffer of the configuration", () =>
  Effect.gen(function* () {
    const { run } = yield* TestApp.make(app, {
      config: { redis: { prefix: "other", subscriptionBuffer: 1 } },
      replace: [[Redis.plugin, TestRedis.layer]]
    })
    const { prefix, subscribe } = yield* run(Redis.SharedRedis)
    expect(prefix).toBe("other:")
    const queue = yield* subscribe("news")
    for (const text of ["a", "b"]) yield* run(send("PUBLISH", "news", text))
    expect(yield* Queue.take(queue)).toMatchObject({ _tag: "Gap", dropped: 1 })
  })
)

it.effect("an outage of the double fails commands and the health check, and leaves a gap", () =>
  Effect.gen(function* () {
    const redis = TestRedis.make()
    const { run } = yield* booted(redis)
    const [check] = (yield* run(AppRuntime)).contributions(HealthCheck.kind)
    const queue = yield* (yield* run(Redis.SharedRedis)).subscribe("news")
    yield* run(send("SET", "a", "1"))
    yield* redis.stop
    const { cause } = yield* Effect.flip(run(send("GET", "a")))
    expect(cause).toBeInstanceOf(Redis.RedisUnavailable)
    expect(yield* Effect.exit(check!.value)).toMatchObject({ _tag: "Failure" })
    yield* redis.start
    yield* check!.value
    expect(yield* run(send("GET", "a"))).toBe("1")
    yield* run(send("PUBLISH", "news", "a"))
    expect(yield* Queue.take(queue)).toEqual({ _tag: "Gap", channel: "news", dropped: undefined })
    expect(yield* Queue.take(queue)).toMatchObject({ text: "a" })
  })
)

it.effect("the double refuses what it cannot do, and tells what it can", () =>
  Effect.gen(function* () {
    const { run } = yield* booted(TestRedis.make())
    const refusal = (command: string, ...args: ReadonlyArray<string>) =>
      Effect.map(Effect.flip(run(send(command, ...args))), ({ cause }) => String(cause))
    expect(yield* refusal("GEOADD", "a")).toContain(
      "ERR TestRedis does not have GEOADD. It has DBSIZE, DECR, "
    )
    expect(yield* refusal("toString")).toContain("does not have TOSTRING")
    expect(yield* refusal("BLPOP", "a", "0")).toContain("Redis.reserve")
    expect(yield* refusal("EVAL", "return 1", "0")).toContain("The script: return 1")
    expect(yield* refusal("EVALSHA", "0", "0")).toContain("NOSCRIPT")
    expect(yield* refusal("SCRIPT", "FLUSH")).toContain("only LOAD")
  })
)

it.effect("a script of the double runs as the function that is registered for it", () =>
  Effect.gen(function* () {
    const script = Redis.script((key: string, by: number) => [key, by], {
      lua: "return redis.call('INCRBY', KEYS[1], ARGV[1])",
      numberOfKeys: 1
    }).withReturnType<number>()
    const redis = TestRedis.make({
      scripts: [
        TestRedis.script(script, ({ args: [by], keys: [key], redis }) => redis("INCRBY", key!, by!))
      ]
    })
    const { run } = yield* booted(redis)
    const add = (by: number) => run(Redis.Redis.use((redis) => redis.eval(script)("n", by)))
    expect([yield* add(2), yield* add(3)]).toEqual([2, 5])
    const reserved = Effect.scoped(
      Redis.Redis.use((redis) => Effect.flatMap(redis.reserve, (own) => own.eval(script)("n", 1)))
    )
    expect(yield* run(reserved)).toBe(6)
  })
)
