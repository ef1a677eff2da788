/** A backend that is frozen, ends or starts again while requests use it. */
import type { ChildProcess } from "node:child_process"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
import { CacheKey } from "flange/Cache"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { makeId } from "../../../src/Layers/Cache/CacheStore.ts"
import type { Shape } from "../../../src/Layers/Cache/ObjectCache.ts"
import { freePort } from "../Redis/server.ts"
import {
  type Backend,
  hasMemcached,
  hasRedis,
  memcached,
  redis,
  startMemcached,
  startRedis
} from "./backends.ts"

const timeout = Duration.millis(250)

const text = { schema: Schema.String }

/** Ten callers that look up keys until `isOver`. None may fail. Returns how many values they got. */
const load = (cache: Shape, isOver: () => boolean) =>
  Effect.map(
    Effect.forEach(
      Array.from({ length: 10 }, (_, i) => i),
      (caller) =>
        Effect.gen(function* () {
          let count = 0
          while (!isOver()) {
            const id = (caller + count) % 20
            const value = yield* cache.getOrLoad(
              CacheKey.of("products", id),
              text,
              Effect.as(Effect.sleep(1), `value ${id}`)
            )
            if (value !== `value ${id}`) return yield* Effect.die(`got ${value} for ${id}`)
            count++
            yield* Effect.sleep(1)
          }
          return count
        }),
      { concurrency: "unbounded" }
    ),
    (counts) => counts.reduce((sum, count) => sum + count, 0)
  )

const suite = (
  name: string,
  isRun: boolean,
  start: (port: number) => Promise<ChildProcess>,
  backendOf: (port: () => number) => Backend
) =>
  describe.skipIf(!isRun)(`requests while ${name}`, () => {
    let port = 0
    let server: ChildProcess

    beforeAll(async () => {
      port = await freePort()
      server = await start(port)
    })
    afterAll(() => {
      server.kill("SIGCONT")
      server.kill("SIGKILL")
    })

    /** Runs an outage under load. The load ends when the backend keeps values again. */
    const drill = (outage: Effect.Effect<void>) =>
      Effect.gen(function* () {
        const { cache } = yield* backendOf(() => port).replica(`flange-test-${makeId()}`)
        let isOver = false
        const check = CacheKey.of("check")
        const isBack = Effect.gen(function* () {
          yield* cache.set(check, "back", text)
          return (yield* cache.get(check, text))._tag === "Some"
        })
        const rest = Effect.gen(function* () {
          while (!(yield* isBack)) yield* Effect.sleep(20)
          yield* outage
          while (!(yield* isBack)) yield* Effect.sleep(20)
          isOver = true
        })
        const [count] = yield* Effect.all([load(cache, () => isOver), rest], {
          concurrency: "unbounded"
        })
        const { errors } = yield* cache.stats
        return { count, errors }
      })

    const run = async (outage: Effect.Effect<void>) => {
      const logs: Array<string> = []
      const logger = Logger.make(({ logLevel, message }) => {
        if (String(message).includes("backend of the cache")) logs.push(`${logLevel} ${message}`)
      })
      const result = await Effect.runPromise(
        Effect.scoped(Effect.provide(drill(outage), Logger.layer([logger])))
      )
      expect(result.count).toBeGreaterThan(0)
      expect(result.errors).toBeGreaterThan(0)
      const warning = expect.stringContaining("Warn The backend of the cache does not work")
      const back = expect.stringContaining("Info The backend of the cache answers again")
      expect(logs).toEqual([warning, back])
    }

    it(
      "it is frozen: none fails, and it is used again afterwards",
      () =>
        run(
          Effect.gen(function* () {
            server.kill("SIGSTOP")
            yield* Effect.sleep(1500)
            server.kill("SIGCONT")
          })
        ),
      30_000
    )

    it(
      "it is killed and started again: none fails, and it is used again afterwards",
      () =>
        run(
          Effect.gen(function* () {
            server.kill("SIGKILL")
            yield* Effect.sleep(500)
            server = yield* Effect.promise(() => start(port))
          })
        ),
      30_000
    )

    it(
      "it is frozen: an invalidation is sent when it answers, and not forgotten until then",
      () =>
        Effect.runPromise(
          Effect.scoped(
            Effect.gen(function* () {
              const namespace = `flange-test-${makeId()}`
              const { cache } = yield* backendOf(() => port).replica(namespace)
              const other = yield* backendOf(() => port).replica(namespace)
              const key = CacheKey.of("products", 7)
              const read = (one: Shape) => Effect.map(one.get(key, text), ({ _tag }) => _tag)
              while ((yield* read(cache)) === "None") {
                yield* cache.set(key, "old", text)
                yield* Effect.sleep(20)
              }
              server.kill("SIGSTOP")
              yield* cache.invalidate(key)
              server.kill("SIGCONT")
              expect(yield* read(cache)).toBe("None")
              while ((yield* read(other.cache)) === "Some") yield* Effect.sleep(20)
            })
          ).pipe(Effect.provide(Logger.layer([])))
        ),
      30_000
    )
  })

suite("Redis", hasRedis, startRedis, (port) => redis("redis", port, timeout))
suite("Redis behind memory", hasRedis, startRedis, (port) => redis("tiers", port, timeout))
suite("Memcached", hasMemcached, startMemcached, (port) => memcached(port, timeout))
