import { randomUUID } from "node:crypto"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { Redis } from "flange/Redis"
import { describe, expect, it, vi } from "vitest"
import { MemoryStore } from "../../../src/Layers/Idempotency/MemoryStore.ts"
import * as RedisStore from "../../../src/Layers/Idempotency/RedisStore.ts"
import * as SqlStore from "../../../src/Layers/Idempotency/SqlStore.ts"
import { connect } from "../../../src/Layers/Redis/Connect.ts"
import * as backends from "../Database/backends.ts"
import { describeRedis, redisServer, settings } from "../Redis/server.ts"
import { conformance } from "./conformance.ts"

describe("a store in memory", () => {
  conformance({
    open: Effect.sync(() => {
      const store = new MemoryStore(2 ** 26)
      return [store, store] as const
    })
  })

  it("keeps a reply when the clock of the machine is set forward", () =>
    Effect.runPromise(
      Effect.gen(function* () {
        const store = new MemoryStore(2 ** 26)
        const attempt = { fingerprint: "body", id: "key", owner: randomUUID() }
        yield* store.claim(attempt, 1000)
        yield* store.complete(attempt, "reply", 60_000)
        const { now } = Date
        const clock = vi.spyOn(Date, "now").mockImplementation(() => now() + 3_600_000)
        const found = yield* Effect.ensuring(
          store.claim({ ...attempt, owner: randomUUID() }, 1000),
          Effect.sync(() => clock.mockRestore())
        )
        expect(found).toEqual({ _tag: "Done", fingerprint: "body", reply: "reply" })
      })
    ))
})

describeRedis("a store in Redis", () =>
  conformance({
    open: Effect.gen(function* () {
      const { url } = yield* redisServer()
      const prefix = randomUUID()
      const client = Effect.map(connect(settings({ prefix: "shop", url })), (context) =>
        RedisStore.make(Context.get(context, Redis), prefix)
      )
      return [yield* client, yield* client] as const
    })
  })
)

backends.onEach(backends.all, "a store in a database", (backend) =>
  conformance({
    open: Effect.gen(function* () {
      const url = yield* backend.fresh
      const client = Effect.map(backends.open(url), SqlStore.make)
      const one = yield* client
      // PGlite has one process.
      const two = backend.kind === "pglite" ? one : yield* client
      // Replicas start at the same time.
      yield* Effect.all([one.createTable, two.createTable], { concurrency: "unbounded" })
      yield* two.createTable
      return [one, two] as const
    })
  })
)
