import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { App, Plugin } from "flange"
import * as Queue from "flange/Queue"
import { TestApp } from "flange/Testing"
import { describe, expect, it } from "vitest"
import { Line } from "../../../src/Layers/Queue/Line.ts"
import { MemoryStore } from "../../../src/Layers/Queue/MemoryStore.ts"
import { mostItems } from "../../../src/Layers/Queue/Queues.ts"
import { QueueStoreError, type Store } from "../../../src/Layers/Queue/QueueStore.ts"
import { until } from "../Idempotency/conformance.ts"
import { offer } from "./conformance.ts"

/** Returns a store whose methods can be replaced. */
const over = (store: MemoryStore): { -readonly [K in keyof Store]: Store[K] } => ({
  abandon: store.abandon,
  claim: store.claim,
  cleanup: store.cleanup,
  get: store.get,
  isTransactional: false,
  list: store.list,
  offer: store.offer,
  onWake: store.onWake,
  pause: store.pause,
  ping: store.ping,
  queues: store.queues,
  remove: store.remove,
  renew: store.renew,
  requeue: store.requeue,
  resume: store.resume,
  settle: store.settle,
  stats: store.stats
})

const run = <A>(effect: Effect.Effect<A, unknown, Scope.Scope>) =>
  Effect.runPromise(Effect.scoped(effect))

describe("claims that a process did not renew in time", () => {
  it("the process renews them before it claims more, so that it does not get its own items again", () =>
    run(
      Effect.gen(function* () {
        const store = new MemoryStore()
        const calls: Array<string> = []
        const watched = over(store)
        watched.claim = (queue, options) =>
          Effect.andThen(
            Effect.sync(() => calls.push("claim")),
            store.claim(queue, options)
          )
        watched.renew = (queue, claims, lease) =>
          Effect.andThen(
            Effect.sync(() => calls.push("renew")),
            store.renew(queue, claims, lease)
          )
        const lease = 200
        const line = new Line("jobs", watched, { ahead: 0, lease, pollInterval: 5 })
        line.maxAttempts = 5
        yield* store.offer("jobs", [offer("a")])
        const first = yield* Effect.forkChild(line.run)
        const held = yield* line.take
        yield* Fiber.interrupt(first)
        // The process is paused for longer than the lease: nothing of it runs.
        yield* Effect.sleep(lease * 2)
        calls.length = 0
        yield* Effect.forkChild(line.run)
        const second = yield* Effect.forkChild(line.take)
        yield* until(Effect.sync(() => calls.filter((call) => call === "claim").length > 2))
        expect(calls[0]).toBe("renew")
        expect(second.pollUnsafe()).toBeUndefined()
        expect(held.ended).toBeUndefined()
        yield* line.settle(held, { _tag: "Completed", result: undefined })
        expect((yield* store.get("jobs", "a"))?.state).toBe("completed")
      })
    ))

  it("items that another process has when the answer to their claim comes are not handed out", () =>
    run(
      Effect.gen(function* () {
        const store = new MemoryStore()
        const paused = over(store)
        const free = Deferred.makeUnsafe<void>()
        let failures = 2
        paused.claim = (queue, options) =>
          Effect.tap(store.claim(queue, options), () => Deferred.await(free))
        paused.renew = (queue, claims, lease) =>
          failures-- > 0
            ? Effect.fail(new QueueStoreError({ cause: "an outage", operation: "renew" }))
            : store.renew(queue, claims, lease)
        const lease = 200
        const line = new Line("jobs", paused, { ahead: 0, lease, pollInterval: 5 })
        line.maxAttempts = 5
        yield* store.offer("jobs", [offer("a"), offer("b")])
        yield* Effect.forkChild(line.run)
        const first = yield* Effect.forkChild(line.take)
        yield* until(Effect.map(store.get("jobs", "a"), (item) => item?.state === "running"))
        const other = { endsLeases: true, lease: 60_000, limit: 2, maxAttempts: 5, token: "other" }
        const taken: Array<string> = []
        yield* until(
          Effect.map(store.claim("jobs", other), ({ items }) => {
            taken.push(...items.map(({ id }) => id))
            return taken.includes("a")
          })
        )
        yield* store.offer("jobs", [offer("c")])
        yield* Deferred.succeed(free, undefined)
        expect((yield* Fiber.join(first)).claimed.id).toBe("c")
        expect(failures).toBeLessThan(0)
      })
    ))

  it("a claim that the same process has claimed again is lost, and only the new one settles the item", () =>
    run(
      Effect.gen(function* () {
        const store = new MemoryStore()
        const broken = over(store)
        broken.renew = () =>
          Effect.fail(new QueueStoreError({ cause: "an outage", operation: "renew" }))
        const line = new Line("jobs", broken, { ahead: 0, lease: 50, pollInterval: 5 })
        line.maxAttempts = 5
        yield* store.offer("jobs", [offer("a")])
        yield* Effect.forkChild(line.run)
        const old = yield* line.take
        const again = yield* line.take
        expect(again.claimed).toMatchObject({ attempts: 2, id: "a" })
        expect(old.ended?.failure.kind).toBe("lost")
        yield* line.settle(old, { _tag: "Completed", result: undefined })
        expect((yield* store.get("jobs", "a"))?.state).toBe("running")
        yield* line.settle(again, { _tag: "Completed", result: undefined })
        expect((yield* store.get("jobs", "a"))?.state).not.toBe("running")
      })
    ))
})

describe("the success of a handler", () => {
  /** Settles the first of two items in a store that is stuck until `free` is called. */
  const settling = (millis: number) =>
    Effect.gen(function* () {
      const store = new MemoryStore()
      const stuck = over(store)
      const free = Deferred.makeUnsafe<void>()
      stuck.settle = (queue, settlements) =>
        Effect.andThen(Deferred.await(free), store.settle(queue, settlements))
      const line = new Line("jobs", stuck, { ahead: 10, lease: 3_600_000, pollInterval: 5 })
      line.maxAttempts = 5
      yield* store.offer("jobs", [offer("a"), offer("b")])
      yield* Effect.forkChild(line.run)
      const first = yield* line.take
      line.took(millis)
      const settled = yield* Effect.forkChild(
        line.settle(first, { _tag: "Completed", result: undefined })
      )
      yield* Effect.sleep(20)
      return { free: Deferred.succeed(free, undefined), line, settled, store }
    })

  it("is stored while the next item runs, if the handler is instant, and the stop waits for it", () =>
    run(
      Effect.gen(function* () {
        const { free, line, settled, store } = yield* settling(1)
        expect(settled.pollUnsafe()).toBeDefined()
        expect((yield* line.take).claimed.id).toBe("b")
        const stopping = yield* Effect.forkChild(line.stop)
        yield* Effect.sleep(20)
        expect(stopping.pollUnsafe()).toBeUndefined()
        yield* free
        yield* Fiber.join(stopping)
        expect((yield* store.get("jobs", "a"))?.state).toBe("completed")
      })
    ))

  it("is waited for, if the handler takes longer", () =>
    run(
      Effect.gen(function* () {
        const { free, settled, store } = yield* settling(6)
        expect(settled.pollUnsafe()).toBeUndefined()
        yield* free
        yield* Fiber.join(settled)
        expect((yield* store.get("jobs", "a"))?.state).toBe("completed")
      })
    ))
})

describe("items that are claimed in advance", () => {
  it("go to other processes when the handlers do not come to them within two renewals", () =>
    run(
      Effect.gen(function* () {
        const store = new MemoryStore()
        const times = { ahead: 10, lease: 3_600_000, pollInterval: 5 }
        const line = new Line("jobs", store, times)
        line.maxAttempts = 5
        line.took(1)
        yield* store.offer(
          "jobs",
          ["a", "b", "c", "d"].map((id) => offer(id))
        )
        yield* Effect.forkChild(line.run)
        yield* line.take
        yield* until(Effect.map(store.stats("jobs"), ({ running }) => running === 4))
        yield* line.renew
        yield* line.take
        yield* line.renew
        expect((yield* store.stats("jobs")).running).toBe(4)
        yield* line.renew
        yield* until(Effect.map(store.stats("jobs"), ({ waiting }) => waiting === 2))
        const other = new Line("jobs", store, times)
        other.maxAttempts = 5
        yield* Effect.forkChild(other.run)
        expect((yield* other.take).claimed).toMatchObject({ attempts: 1, id: "c" })
        yield* line.stop
        yield* other.stop
      })
    ))
})

describe("a claim that is carried out without an answer", () => {
  /** Takes from a store whose first claims, as many as `failures`, have no answer. */
  const taking = (failures: number) =>
    Effect.gen(function* () {
      const store = new MemoryStore()
      const silent = over(store)
      let calls = 0
      silent.claim = (queue, options) =>
        Effect.flatMap(store.claim(queue, options), (claim) =>
          ++calls <= failures
            ? Effect.fail(new QueueStoreError({ cause: "no answer", operation: "claim" }))
            : Effect.succeed(claim)
        )
      const line = new Line("jobs", silent, { ahead: 0, lease: 3_600_000, pollInterval: 5 })
      yield* store.offer("jobs", [offer("a")])
      yield* Effect.forkChild(line.run)
      return { calls: () => calls, line, store, taking: yield* Effect.forkChild(line.take) }
    })

  it("counts no attempt, and the next claim has its items", () =>
    run(
      Effect.gen(function* () {
        const { taking: held } = yield* taking(2)
        expect((yield* Fiber.join(held)).claimed).toMatchObject({ attempts: 1, id: "a" })
      })
    ))

  it("is given back when the line stops", () =>
    run(
      Effect.gen(function* () {
        const { calls, line, store } = yield* taking(Number.POSITIVE_INFINITY)
        yield* until(Effect.sync(() => calls() === 2))
        yield* line.stop
        expect(yield* store.get("jobs", "a")).toMatchObject({ attempts: 0, state: "waiting" })
      })
    ))
})

describe("the leases of others", () => {
  it("end again only after the store has answered for the length of a lease", () =>
    run(
      Effect.gen(function* () {
        const store = new MemoryStore()
        const watched = over(store)
        const asked: Array<boolean> = []
        watched.claim = (queue, options) =>
          Effect.suspend(() => {
            asked.push(options.endsLeases)
            return asked.length === 2
              ? Effect.fail(new QueueStoreError({ cause: "an outage", operation: "claim" }))
              : store.claim(queue, options)
          })
        const line = new Line("jobs", watched, { ahead: 0, lease: 60, pollInterval: 5 })
        yield* Effect.forkChild(line.run)
        const taking = yield* Effect.forkChild(line.take)
        yield* until(Effect.sync(() => asked.length > 2 && asked.at(-1) === true))
        expect(asked.slice(0, 3)).toEqual([true, true, false])
        yield* Fiber.interrupt(taking)
      })
    ))
})

describe("an outcome that the store does not take", () => {
  const settled = (isStopped: boolean, failures: number) =>
    Effect.gen(function* () {
      const store = new MemoryStore()
      const broken = over(store)
      let calls = 0
      broken.settle = (queue, settlements) =>
        Effect.suspend(() =>
          ++calls <= failures
            ? Effect.fail(new QueueStoreError({ cause: "an outage", operation: "settle" }))
            : store.settle(queue, settlements)
        )
      const line = new Line("jobs", broken, { ahead: 0, lease: 3_600_000, pollInterval: 1000 })
      line.maxAttempts = 5
      yield* store.offer("jobs", [offer("a")])
      yield* Effect.forkChild(line.run)
      const held = yield* line.take
      if (isStopped) yield* line.stop
      const settling = yield* Effect.forkChild(
        line.settle(held, { _tag: "Completed", result: undefined })
      )
      while (settling.pollUnsafe() === undefined) yield* TestClock.adjust("3 seconds")
      return { calls, state: (yield* store.get("jobs", "a"))?.state }
    }).pipe(Effect.provide(TestClock.layer()))

  it("is stored after an outage of half a minute", () =>
    run(
      Effect.gen(function* () {
        expect(yield* settled(false, 10)).toEqual({ calls: 11, state: "completed" })
      })
    ))

  it("is given up after some attempts, so that a stop and other outcomes do not wait for ever", () =>
    run(
      Effect.gen(function* () {
        expect(yield* settled(false, 1000)).toEqual({ calls: 23, state: "running" })
        expect(yield* settled(true, 1000)).toEqual({ calls: 5, state: "running" })
      })
    ))
})

describe("the success of an instant handler", () => {
  it("is stored by a stop at once, and otherwise after a short time", () =>
    run(
      Effect.gen(function* () {
        const store = new MemoryStore()
        const line = new Line("jobs", store, { ahead: 10, lease: 3_600_000, pollInterval: 1000 })
        line.maxAttempts = 5
        line.took(0)
        const settled = (id: string) =>
          Effect.gen(function* () {
            yield* store.offer("jobs", [offer(id)])
            line.wake()
            yield* line.settle(yield* line.take, { _tag: "Completed", result: undefined })
          })
        const state = (id: string) => Effect.map(store.get("jobs", id), (item) => item?.state)
        yield* Effect.forkChild(line.run)
        yield* settled("a")
        expect(yield* state("a")).toBe("running")
        yield* TestClock.adjust("25 millis")
        expect(yield* state("a")).toBe("completed")
        yield* settled("b")
        expect(yield* state("b")).toBe("running")
        yield* line.stop
        expect(yield* state("b")).toBe("completed")
      }).pipe(Effect.provide(TestClock.layer()))
    ))
})

describe("rateLimit", () => {
  it(
    "an item that is lost while it waits for its turn is not begun",
    () =>
      run(
        Effect.gen(function* () {
          const seen: Array<string> = []
          const Jobs = Queue.make("jobs", {
            concurrency: 2,
            payload: Schema.String,
            rateLimit: { limit: 1, per: "1 second" }
          })
          const Work = Plugin.make("app:work", {
            contributes: [
              Jobs.worker((_, { attempts, id }) => Effect.sync(() => void seen.push(id + attempts)))
            ],
            requires: [Queue.Queues]
          })
          const app = yield* TestApp.make(
            App.make("shop", [Queue.plugin, Work], {
              config: { values: { queue: { lease: "1 second" } } }
            })
          )
          const store = yield* app.run(Queue.QueueStore)
          const { renew } = store
          // The store answers once that another worker has the second item.
          const losing: Store["renew"] = (queue, claims, lease) =>
            Effect.suspend(() => {
              if (!claims.some(({ id }) => id === "b")) return renew(queue, claims, lease)
              Object.assign(store, { renew })
              return Effect.succeed(["b"])
            })
          Object.assign(store, { renew: losing })
          yield* app.run(Jobs.enqueueAll([..."ab"].map((id) => ({ id, payload: id }))))
          yield* until(Effect.sync(() => seen.length === 2))
          expect(seen).toEqual(["a1", "b2"])
        })
      ),
    60_000
  )
})

describe("enqueueAll", () => {
  it(
    "refuses more items than a store adds at once, with their number and what to do",
    () =>
      run(
        Effect.gen(function* () {
          const Jobs = Queue.make("jobs", { payload: Schema.Int })
          const app = yield* TestApp.make(App.make("shop", [Queue.plugin]))
          const items = (count: number) =>
            Array.from({ length: count }, (_, payload) => ({ payload }))
          const error = yield* Effect.flip(app.run(Jobs.enqueueAll(items(mostItems + 1))))
          expect(error).toMatchObject({ _tag: "QueueRefused", field: "items" })
          expect(String(error)).toContain("10001 items. Enqueue at most 10000")
          expect(yield* app.run(Jobs.enqueueAll(items(mostItems)))).toHaveLength(mostItems)
        })
      ),
    60_000
  )
})

describe("a queue whose claims fail", () => {
  it("logs one warning a minute", () =>
    run(
      Effect.gen(function* () {
        const told: Array<unknown> = []
        const logger = Logger.make(({ message }) => void told.push(message))
        let claims = 0
        const broken = over(new MemoryStore())
        broken.claim = () => {
          claims++
          return Effect.fail(new QueueStoreError({ cause: "an outage", operation: "claim" }))
        }
        const line = new Line("jobs", broken, { ahead: 0, lease: 60_000, pollInterval: 5 })
        yield* Effect.gen(function* () {
          yield* Effect.forkChild(line.run)
          yield* Effect.forkChild(line.take)
          yield* TestClock.adjust("59 seconds")
          expect(claims).toBeGreaterThan(10)
          expect(told.length).toBe(1)
          yield* TestClock.adjust("5 seconds")
          expect(told.length).toBe(2)
        }).pipe(Effect.provide([Logger.layer([logger]), TestClock.layer()]))
      })
    ))
})
