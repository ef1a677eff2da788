import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import * as TestClock from "effect/testing/TestClock"
import { App } from "flange"
import * as Cache from "flange/Cache"
import * as Database from "flange/Database"
import { TestApp } from "flange/Testing"

const { CacheKey, ObjectCache } = Cache

const app = App.make("shop", [Cache.plugin, Database.plugin])

const text = { schema: Schema.String }

const key = CacheKey.of("products", 7)

const setUp = Effect.gen(function* () {
  const shop = yield* TestApp.make(app)
  const cache = yield* shop.run(ObjectCache)
  const sql = yield* shop.run(SqlClient.SqlClient)
  yield* cache.set(key, "old", text)
  return { cache, read: cache.get(key, text), sql }
})

describe("an invalidation in a transaction", () => {
  it.effect("is sent after the commit", () =>
    Effect.gen(function* () {
      const { cache, read, sql } = yield* setUp
      const services = yield* Effect.context<never>()
      yield* sql.withTransaction(
        Effect.gen(function* () {
          yield* sql`select 1`
          yield* cache.invalidate(key)
          const elsewhere = Effect.promise(() => Effect.runPromiseWith(services)(read))
          expect(yield* elsewhere).toEqual(Option.some("old"))
        })
      )
      expect(yield* read).toEqual(Option.none())
    })
  )

  it.effect("is dropped on rollback, also on that of a savepoint", () =>
    Effect.gen(function* () {
      const { cache, read, sql } = yield* setUp
      const failing = Effect.andThen(cache.invalidate(key), Effect.fail("rollback"))
      yield* Effect.flip(sql.withTransaction(failing))
      expect(yield* read).toEqual(Option.some("old"))
      yield* sql.withTransaction(
        Effect.andThen(sql`select 1`, Effect.ignore(sql.withTransaction(failing)))
      )
      expect(yield* read).toEqual(Option.some("old"))
    })
  )

  it.effect("lets the transaction load the value itself, which is not stored", () =>
    Effect.gen(function* () {
      const { cache, read, sql } = yield* setUp
      const load = Effect.succeed("uncommitted")
      const failing = Effect.gen(function* () {
        yield* sql`select 1`
        yield* cache.invalidate(CacheKey.prefix("products"))
        expect(yield* cache.getOrLoad(key, text, load)).toBe("uncommitted")
        expect(yield* cache.get(key, text)).toEqual(Option.none())
        return yield* Effect.fail("rollback")
      })
      yield* Effect.flip(sql.withTransaction(failing))
      expect(yield* read).toEqual(Option.some("old"))
    })
  )

  it.effect("lets a value that is set wait for the commit", () =>
    Effect.gen(function* () {
      const { cache, read, sql } = yield* setUp
      const services = yield* Effect.context<never>()
      const set = Effect.andThen(cache.set(key, "new", text), read)
      const elsewhere = Effect.promise(() => Effect.runPromiseWith(services)(read))
      const both = Effect.all([set, elsewhere])
      // The transaction does not use what it has replaced.
      expect(yield* sql.withTransaction(both)).toEqual([Option.none(), Option.some("old")])
      expect(yield* read).toEqual(Option.some("new"))
    })
  )

  it.effect("lets the transaction load a value that it has set, which is not stored", () =>
    Effect.gen(function* () {
      const { cache, read, sql } = yield* setUp
      const failing = Effect.gen(function* () {
        yield* sql`select 1`
        yield* cache.invalidate(key)
        yield* cache.set(key, "uncommitted", text)
        expect(yield* cache.getOrLoad(key, text, Effect.succeed("loaded"))).toBe("loaded")
        const other = CacheKey.of("products", 8)
        yield* cache.set(other, "uncommitted", text)
        expect(yield* cache.getOrLoad(other, text, Effect.succeed("loaded"))).toBe("loaded")
        return yield* Effect.fail("rollback")
      })
      yield* Effect.flip(sql.withTransaction(failing))
      expect(yield* read).toEqual(Option.some("old"))
      expect(yield* cache.get(CacheKey.of("products", 8), text)).toEqual(Option.none())
    })
  )

  it.effect("is sent at once by a fiber that outlives the transaction", () =>
    Effect.gen(function* () {
      const { cache, read, sql } = yield* setUp
      const ended = yield* Deferred.make<void>()
      const fiber = yield* sql.withTransaction(
        Effect.andThen(
          sql`select 1`,
          Effect.forkDetach(Effect.andThen(Deferred.await(ended), cache.invalidate(key)))
        )
      )
      yield* Deferred.succeed(ended, undefined)
      yield* Fiber.join(fiber)
      expect(yield* read).toEqual(Option.none())
    })
  )

  it.effect("lets an old value be loaded again in the background after the transaction", () =>
    Effect.gen(function* () {
      const { cache, sql } = yield* setUp
      const options = { ...text, staleWhileRevalidate: "1 hour", ttl: "1 minute" } as const
      const loaded = yield* Deferred.make<void>()
      yield* cache.getOrLoad(CacheKey.of("names", 1), options, Effect.succeed("old"))
      yield* TestClock.adjust("2 minutes")
      const load = Effect.gen(function* () {
        const [row] = yield* sql<{ name: string }>`select 'new' as name`
        yield* Deferred.succeed(loaded, undefined)
        return row!.name
      })
      const first = yield* sql.withTransaction(
        Effect.andThen(sql`select 1`, cache.getOrLoad(CacheKey.of("names", 1), options, load))
      )
      expect(first).toBe("old")
      yield* Deferred.await(loaded)
      let found = yield* cache.get(CacheKey.of("names", 1), text)
      while (Option.isNone(found)) {
        yield* Effect.yieldNow
        found = yield* cache.get(CacheKey.of("names", 1), text)
      }
      expect(found).toEqual(Option.some("new"))
    })
  )
})
