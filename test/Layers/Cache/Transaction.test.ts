import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
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
      const set = Effect.andThen(cache.set(key, "new", text), read)
      expect(yield* sql.withTransaction(set)).toEqual(Option.some("old"))
      expect(yield* read).toEqual(Option.some("new"))
    })
  )
})
