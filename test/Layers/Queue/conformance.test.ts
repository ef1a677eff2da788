import { randomUUID } from "node:crypto"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { Redis, SharedRedis } from "flange/Redis"
import { describe } from "vitest"
import { MemoryStore } from "../../../src/Layers/Queue/MemoryStore.ts"
import * as RedisStore from "../../../src/Layers/Queue/RedisStore.ts"
import * as SqlStore from "../../../src/Layers/Queue/SqlStore.ts"
import { connect } from "../../../src/Layers/Redis/Connect.ts"
import * as backends from "../Database/backends.ts"
import { describeRedis, redisServer, settings } from "../Redis/server.ts"
import { conformance } from "./conformance.ts"

describe("a store in memory", () =>
  conformance({
    open: Effect.sync(() => {
      const store = new MemoryStore()
      return [store, store] as const
    })
  }))

describeRedis("a store in Redis", () =>
  conformance({
    open: Effect.gen(function* () {
      const { url } = yield* redisServer()
      const prefix = randomUUID()
      const client = Effect.map(connect(settings({ prefix: "shop", url })), (context) =>
        RedisStore.make(
          { redis: Context.get(context, Redis), shared: Context.get(context, SharedRedis) },
          prefix
        )
      )
      return [yield* client, yield* client] as const
    })
  })
)

backends.onEach([backends.pglite, backends.postgres], "a store in a database", (backend) =>
  conformance({
    open: Effect.gen(function* () {
      const url = yield* backend.fresh
      const client = Effect.map(backends.open(url), (sql) => SqlStore.make(sql, 20))
      const one = yield* client
      // PGlite has one process.
      const two = backend.kind === "pglite" ? one : yield* client
      // Replicas start at the same time.
      yield* Effect.all([one.createTables, two.createTables], { concurrency: "unbounded" })
      yield* two.createTables
      yield* one.start
      if (two !== one) yield* two.start
      return [one, two] as const
    })
  })
)
