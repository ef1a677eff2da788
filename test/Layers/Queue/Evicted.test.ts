// A Redis that evicts keys of queues, which it must not: the server and the other items go on.
import { randomUUID } from "node:crypto"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { Redis, SharedRedis } from "flange/Redis"
import { expect, it } from "vitest"
import * as RedisStore from "../../../src/Layers/Queue/RedisStore.ts"
import { connect } from "../../../src/Layers/Redis/Connect.ts"
import { describeRedis, redisServer, settings } from "../Redis/server.ts"
import { offer } from "./conformance.ts"

const options = { endsLeases: true, lease: 60_000, limit: 10, maxAttempts: 3, token: "a" }

const opened = Effect.gen(function* () {
  const { url } = yield* redisServer()
  const prefix = randomUUID()
  const context = yield* connect(settings({ prefix: "shop", url }))
  const redis = Context.get(context, Redis)
  return {
    evict: (suffix: string) => redis.send<number>("DEL", `${prefix}:{q}${suffix}`),
    store: RedisStore.make({ redis, shared: Context.get(context, SharedRedis) }, prefix)
  }
})

describeRedis("after the eviction of", () => {
  for (const [what, suffix] of [
    ["an item", ":i:lost"],
    ["the waiting items of a tenant", ":w:lost"],
    ["the tenants", ":t"],
    ["the queue", ""],
    ["the items of a state by sequence", ":s:waiting"],
    ["the items of a state by time", ":k:waiting"]
  ] as const) {
    it(`${what}, claims end and new items are claimed`, () =>
      Effect.runPromise(
        Effect.scoped(
          Effect.gen(function* () {
            const { evict, store } = yield* opened
            yield* store.offer("q", [offer("lost", { tenant: "lost" })])
            expect(yield* evict(suffix)).toBe(1)
            yield* store.claim("q", options)
            yield* store.offer("q", [offer("new"), offer("newer", { tenant: "lost" })])
            const { items } = yield* store.claim("q", options)
            expect(items.map(({ id }) => id)).toEqual(expect.arrayContaining(["new", "newer"]))
            expect((yield* store.claim("q", options)).items).toEqual([])
          })
        )
      ))
  }

  it("an item that was dead, an item with its id is neither requeued nor removed as dead", () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const { evict, store } = yield* opened
          yield* store.offer("q", [offer("one")])
          const { items } = yield* store.claim("q", options)
          yield* store.settle("q", [
            { id: "one", outcome: { _tag: "Dead", failure: "{}" }, token: items[0]!.token }
          ])
          expect(yield* evict(":i:one")).toBe(1)
          yield* store.offer("q", [offer("one")])
          expect(yield* store.requeue("q", "dead")).toBe(0)
          yield* store.cleanup({ completed: -1000, dead: -1000 })
          expect(yield* store.get("q", "one")).toMatchObject({ attempts: 0, state: "waiting" })
          expect(yield* store.stats("q")).toMatchObject({ dead: 0, waiting: 1 })
        })
      )
    ))
})
