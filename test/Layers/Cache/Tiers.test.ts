import type { ChildProcess } from "node:child_process"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { CacheKey } from "flange/Cache"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import * as Broadcast from "../../../src/Layers/Cache/Broadcast.ts"
import { makeId, type Store } from "../../../src/Layers/Cache/CacheStore.ts"
import { MemoryStore } from "../../../src/Layers/Cache/MemoryStore.ts"
import { TieredStore } from "../../../src/Layers/Cache/TieredStore.ts"
import { freePort } from "../Redis/server.ts"
import { hasRedis, redis, redisOf, startRedis } from "./backends.ts"

const text = { schema: Schema.String }

const key = CacheKey.of("products", 7)

let port = 0
let server: ChildProcess | undefined

beforeAll(async () => {
  if (!hasRedis) return
  port = await freePort()
  server = await startRedis(port)
})

afterAll(() => void server?.kill())

const run =
  <A, E>(effect: Effect.Effect<A, E, never>) =>
  () =>
    Effect.runPromise(effect)

const tiers = redis("tiers", () => port)

describe.skipIf(!hasRedis)("memory in front of Redis", () => {
  it(
    "reads a value from the memory of the process, without Redis",
    run(
      Effect.gen(function* () {
        const namespace = `flange-test-${makeId()}`
        const { cache } = yield* tiers.replica(namespace)
        const { redis: client } = yield* redisOf(port)
        yield* cache.set(key, "value", text)
        const read = cache.getOrLoad(key, text, Effect.die("it is stored"))
        const commands = Effect.map(
          client.send<string>("INFO", "commandstats"),
          (info) => /cmdstat_mget:calls=(\d+)/.exec(info)?.[1]
        )
        yield* read
        // The memory is emptied when the subscription to invalidations begins, which may be only now.
        let before: string | undefined
        do {
          before = yield* commands
          yield* read
        } while ((yield* commands) !== before)
        for (let i = 0; i < 100; i++) {
          expect(yield* read).toBe("value")
        }
        expect(yield* commands).toBe(before)
      }).pipe(Effect.scoped)
    )
  )

  it(
    "an invalidation reaches the memory of other replicas",
    run(
      Effect.gen(function* () {
        const namespace = `flange-test-${makeId()}`
        const one = yield* tiers.replica(namespace)
        const two = yield* tiers.replica(namespace)
        const read = two.cache.getOrLoad(key, text, Effect.succeed("new"))
        yield* one.cache.set(key, "old", text)
        while ((yield* read) !== "old") {
          yield* one.cache.set(key, "old", text)
        }
        yield* one.cache.invalidate(key)
        while ((yield* read) !== "new") yield* Effect.sleep(5)
      }).pipe(Effect.scoped)
    )
  )

  it(
    "a replica whose subscription was interrupted forgets its copies",
    run(
      Effect.gen(function* () {
        const namespace = `flange-test-${makeId()}`
        const { cache } = yield* tiers.replica(namespace)
        const { redis: client } = yield* redisOf(port)
        const read = cache.getOrLoad(key, text, Effect.succeed("new"))
        yield* cache.set(key, "old", text)
        expect(yield* read).toBe("old")
        // As if another replica had invalidated it, and the message had been lost.
        yield* client.send("UNLINK", `${namespace}:entry/products/7`)
        expect(yield* read).toBe("old")
        yield* client.send("CLIENT", "KILL", "TYPE", "pubsub")
        while ((yield* read) !== "new") yield* Effect.sleep(5)
      }).pipe(Effect.scoped, Effect.provide(Logger.layer([])))
    ),
    30_000
  )

  it(
    "a message that cannot be read is a loss",
    run(
      Effect.gen(function* () {
        const namespace = `flange-test-${makeId()}`
        const services = yield* redisOf(port)
        const seen: Array<string> = []
        yield* Effect.forkScoped(
          Broadcast.make(services, namespace).listen({
            forget: (keys) => void seen.push(keys.join()),
            forgetAll: () => void seen.push("all")
          })
        )
        const sender = Broadcast.make(services, namespace)
        while (!seen.includes("a")) {
          yield* sender.announce(["a"])
          yield* Effect.sleep(5)
        }
        yield* services.redis.send("PUBLISH", `${namespace}:changed`, "?")
        yield* sender.delete(["b"])
        while (!seen.includes("b")) yield* Effect.sleep(5)
        expect(seen.slice(-2)).toEqual(["all", "b"])
      }).pipe(Effect.scoped)
    )
  )
})

describe.skipIf(!hasRedis)("a value in Redis", () => {
  it(
    "is loaded and stored where another program has put something else",
    run(
      Effect.gen(function* () {
        const namespace = `flange-test-${makeId()}`
        const { cache } = yield* redis("redis", () => port).replica(namespace)
        const { redis: client } = yield* redisOf(port)
        for (const kind of ["entry/products/7", "prefix/products"]) {
          yield* client.send("UNLINK", `${namespace}:${kind}`)
          yield* client.send("RPUSH", `${namespace}:${kind}`, "a")
          expect(yield* cache.getOrLoad(key, text, Effect.succeed(kind))).toBe(kind)
          expect(yield* cache.getOrLoad(key, text, Effect.die("it is stored"))).toBe(kind)
        }
        expect((yield* cache.stats).errors).toBe(0)
      }).pipe(Effect.scoped)
    )
  )

  it(
    "is one of any number that are read, written and invalidated together",
    run(
      Effect.gen(function* () {
        const { cache } = yield* tiers.replica(`flange-test-${makeId()}`)
        const keys = Array.from({ length: 70_000 }, (_, i) => CacheKey.of("many", i, "a"))
        yield* cache.setMany(
          keys.map((one) => [one, "value"] as const),
          text
        )
        const count = Effect.map(
          cache.getMany(keys, text),
          (all) => all.filter(({ _tag }) => _tag === "Some").length
        )
        expect(yield* count).toBe(keys.length)
        yield* cache.invalidate(...keys)
        expect(yield* count).toBe(0)
        expect((yield* cache.stats).errors).toBe(0)
      }).pipe(Effect.scoped)
    ),
    60_000
  )
})

describe("a copy in memory", () => {
  it(
    "is not made of a value that was invalidated while it was read",
    run(
      Effect.gen(function* () {
        const shared = new MemoryStore(2 ** 20)
        const release = yield* Deferred.make<void>()
        const slow: Store = {
          ...shared,
          backend: "slow",
          get: (keys) => Effect.tap(shared.get(keys), () => Deferred.await(release))
        }
        const store = new TieredStore(slow, new MemoryStore(2 ** 20), 10_000, {
          announce: () => Effect.void,
          delete: shared.delete,
          listen: () => Effect.never
        })
        yield* shared.set([{ key: "a", ttl: 10_000, value: "0123456789abcdef[]" }])
        const reading = yield* Effect.forkChild(store.get(["a"]), { startImmediately: true })
        store.forget(["a"])
        yield* Deferred.succeed(release, undefined)
        expect(yield* Fiber.join(reading)).toEqual(["0123456789abcdef[]"])
        expect(store.peek!(["a"])).toEqual([undefined])
        yield* store.get(["a"])
        expect(store.peek!(["a"])).toEqual(["0123456789abcdef[]"])
        yield* TestClock.adjust(10_002)
        expect(store.peek!(["a"])).toEqual([undefined])
      }).pipe(Effect.provide(TestClock.layer()))
    )
  )
})
