/** What every store of queues does. */
import { randomUUID } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { afterAll, beforeAll, expect, it } from "vitest"
import type { Claim, Claimed, Offer, Outcome, Store } from "../../../src/Layers/Queue/QueueStore.ts"
import { until } from "../Idempotency/conformance.ts"

/** A store to test. */
export interface Subject {
  /** Opens two clients of one store, as two processes have them. */
  readonly open: Effect.Effect<readonly [Store, Store], unknown, Scope.Scope>
}

const hour = 3_600_000

/** Makes an item. */
export const offer = (id: string, more: Partial<Offer> = {}): Offer => ({
  delay: 0,
  element: JSON.stringify({ id }),
  id,
  keep: true,
  priority: 0,
  tenant: "",
  ...more
})

const completed: Outcome = { _tag: "Completed", result: undefined }
const dead: Outcome = { _tag: "Dead", failure: '{"kind":"failure","message":"no"}' }
const released: Outcome = { _tag: "Released" }
const retry = (delay: number): Outcome => ({
  _tag: "Retry",
  delay,
  failure: '{"kind":"defect","message":"oops"}'
})

export const conformance = ({ open }: Subject): void => {
  const scope = Scope.makeUnsafe()
  let one: Store
  let two: Store

  beforeAll(async () => {
    ;[one, two] = await Effect.runPromise(Scope.provide(open, scope))
  }, 60_000)
  afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

  const check = (
    title: string,
    test: (queue: string) => Effect.Effect<void, unknown, Scope.Scope>
  ) =>
    it(
      title,
      () => Effect.runPromise(Effect.scoped(Effect.suspend(() => test(randomUUID())))),
      60_000
    )

  const claim = (store: Store, queue: string, limit = 100, lease = hour, maxAttempts = 5) =>
    Effect.map(
      store.claim(queue, { endsLeases: true, lease, limit, maxAttempts, token: randomUUID() }),
      ({ items }) => items
    )

  const settle = (store: Store, queue: string, items: ReadonlyArray<Claimed>, outcome: Outcome) =>
    store.settle(
      queue,
      items.map(({ id, token }) => ({ id, outcome, token }))
    )

  const ids = (items: ReadonlyArray<{ readonly id: string }>) => items.map(({ id }) => id)

  check("an added item is claimed once, with its text and attempt 1", (queue) =>
    Effect.gen(function* () {
      const element = JSON.stringify({
        text: 'a "quote", \\, \u00e9, \u{1f600}, \u0000 and\r\n lines'
      })
      expect(yield* one.offer(queue, [offer("a", { element })])).toEqual([true])
      const [item] = yield* claim(two, queue)
      expect(item).toMatchObject({ attempts: 1, element, id: "a" })
      expect(item!.age).toBeGreaterThanOrEqual(0)
      expect(yield* claim(one, queue)).toEqual([])
    })
  )

  check("a known id is not added again, in no state", (queue) =>
    Effect.gen(function* () {
      expect(yield* one.offer(queue, [offer("a"), offer("b"), offer("a")])).toEqual([
        true,
        true,
        false
      ])
      expect(yield* two.offer(queue, [offer("c"), offer("b")])).toEqual([true, false])
      const items = yield* claim(one, queue)
      expect(
        yield* two.offer(
          queue,
          ids(items).map((id) => offer(id))
        )
      ).toEqual([false, false, false])
      yield* settle(one, queue, items.slice(0, 1), completed)
      yield* settle(one, queue, items.slice(1), dead)
      expect(
        yield* two.offer(
          queue,
          ids(items).map((id) => offer(id))
        )
      ).toEqual([false, false, false])
    })
  )

  check("the items of an abandoned claim wait again, uncounted, and no others", (queue) =>
    Effect.gen(function* () {
      yield* one.offer(queue, [offer("a"), offer("b", { tenant: "t" }), offer("c"), offer("d")])
      const token = randomUUID()
      const options = { endsLeases: true, lease: hour, limit: 3, maxAttempts: 1, token }
      const abandoned = ids((yield* one.claim(queue, options)).items)
      const [other] = yield* claim(two, queue, 1)
      yield* one.abandon(queue, randomUUID())
      expect((yield* one.stats(queue)).running).toBe(4)
      yield* one.abandon(queue, token)
      yield* one.abandon(queue, token)
      expect((yield* one.get(queue, other!.id))?.state).toBe("running")
      const again = yield* claim(two, queue, 10, hour, 1)
      expect(ids(again).sort()).toEqual([...abandoned].sort())
      expect(again.map(({ attempts }) => attempts)).toEqual([1, 1, 1])
    })
  )

  check(
    "a claim that ends no leases leaves the items of others, and takes those that wait",
    (queue) =>
      Effect.gen(function* () {
        yield* one.offer(queue, [offer("a")])
        const [held] = yield* claim(one, queue, 1, 1, 1)
        yield* Effect.sleep(50)
        yield* one.offer(queue, [offer("b")])
        const options = { lease: hour, limit: 10, maxAttempts: 1, token: randomUUID() }
        const { items } = yield* two.claim(queue, { ...options, endsLeases: false })
        expect(ids(items)).toEqual(["b"])
        expect(yield* one.renew(queue, [held!], hour)).toEqual([])
        expect((yield* one.get(queue, "a"))?.state).toBe("running")
      })
  )

  check("two queues do not share ids", (queue) =>
    Effect.gen(function* () {
      const other = randomUUID()
      yield* one.offer(queue, [offer("a")])
      expect(yield* one.offer(other, [offer("a")])).toEqual([true])
      expect(ids(yield* claim(two, other))).toEqual(["a"])
      expect(ids(yield* claim(two, queue))).toEqual(["a"])
    })
  )

  check("an empty list of offers, settlements, renewals and ids changes nothing", (queue) =>
    Effect.gen(function* () {
      expect(yield* one.offer(queue, [])).toEqual([])
      expect(yield* one.settle(queue, [])).toEqual([])
      expect(yield* one.renew(queue, [], hour)).toEqual([])
      expect(yield* one.remove(queue, [])).toBe(0)
      expect(yield* one.requeue(queue, [])).toBe(0)
    })
  )

  check("items are claimed in the order in which they were added", (queue) =>
    Effect.gen(function* () {
      const names = Array.from({ length: 25 }, (_, i) => `item ${i}`)
      yield* one.offer(
        queue,
        names.map((id) => offer(id))
      )
      expect(ids(yield* claim(two, queue, 10))).toEqual(names.slice(0, 10))
      expect(ids(yield* claim(one, queue, 100))).toEqual(names.slice(10))
    })
  )

  check("a higher priority is claimed first", (queue) =>
    Effect.gen(function* () {
      yield* one.offer(queue, [
        offer("low", { priority: -1000 }),
        offer("first", { priority: 1 }),
        offer("normal"),
        offer("second", { priority: 1 })
      ])
      const found: Array<string> = []
      for (let i = 0; i < 4; i++) found.push(...ids(yield* claim(one, queue, 1)))
      expect(found).toEqual(["first", "second", "normal", "low"])
    })
  )

  check("tenants take turns: one item does not wait for the thousand of another tenant", (queue) =>
    Effect.gen(function* () {
      const many = Array.from({ length: 1000 }, (_, i) => offer(`m${i}`, { tenant: "many" }))
      yield* one.offer(queue, many)
      yield* one.offer(queue, [
        offer("a", { tenant: "a" }),
        offer("z", { tenant: "z" }),
        offer("none")
      ])
      expect(ids(yield* claim(two, queue, 8)).sort()).toEqual(
        ["a", "m0", "m1", "m2", "m3", "m4", "none", "z"].sort()
      )
      yield* one.offer(queue, [offer("late", { tenant: "late" })])
      const next = [...(yield* claim(two, queue, 1)), ...(yield* claim(two, queue, 1))]
      expect(ids(next)).toContain("late")
    })
  )

  check("tenants that come while others are served take their turns", (queue) =>
    Effect.gen(function* () {
      const next = Effect.map(claim(one, queue, 1), ([item]) => item!.id)
      yield* one.offer(queue, [
        offer("a1", { tenant: "a" }),
        offer("a2", { tenant: "a" }),
        offer("a3", { tenant: "a" })
      ])
      const first = [yield* next]
      yield* one.offer(queue, [offer("b1", { tenant: "b" })])
      first.push(yield* next)
      expect(first).toEqual(["a1", "b1"])
      yield* one.offer(queue, [offer("c1", { tenant: "c" }), offer("b2", { tenant: "b" })])
      const rest = [yield* next, yield* next, yield* next, yield* next]
      // Each of the three tenants is served before one is served again.
      expect(new Set(rest.slice(0, 3).map((id) => id[0]))).toEqual(new Set(["a", "b", "c"]))
      expect(rest[3]).toBe("a3")
      expect(yield* claim(one, queue)).toEqual([])
    })
  )

  check("tenants that come one after the other do not put off one that waits", (queue) =>
    Effect.gen(function* () {
      const next = Effect.map(claim(one, queue, 1), ([item]) => item!.id)
      yield* one.offer(queue, [
        offer("a1", { tenant: "a" }),
        offer("a2", { tenant: "a" }),
        offer("b0", { tenant: "b" })
      ])
      const served = [yield* next, yield* next]
      for (let i = 1; i <= 3; i++) {
        yield* one.offer(queue, [offer(`b${i}`, { tenant: "b" })])
        served.push(yield* next)
      }
      expect(served).toContain("a2")
    })
  )

  check("a tenant's priority does not put other tenants off", (queue) =>
    Effect.gen(function* () {
      yield* one.offer(
        queue,
        Array.from({ length: 50 }, (_, i) => offer(`m${i}`, { priority: 1000, tenant: "many" }))
      )
      yield* one.offer(queue, [offer("plain", { tenant: "other" })])
      expect(ids(yield* claim(one, queue, 4))).toContain("plain")
    })
  )

  check("of concurrent claims, exactly one gets an item", (queue) =>
    Effect.gen(function* () {
      const names = Array.from({ length: 200 }, (_, i) => `c${i}`)
      yield* one.offer(
        queue,
        names.map((id) => offer(id))
      )
      const all: Array<string> = []
      yield* Effect.forEach(
        Array.from({ length: 8 }, (_, i) => (i % 2 === 0 ? one : two)),
        (store) =>
          Effect.gen(function* () {
            for (;;) {
              const items = yield* claim(store, queue, 7)
              all.push(...ids(items))
              if (all.length >= names.length) return
            }
          }),
        { concurrency: "unbounded" }
      )
      expect(all.sort()).toEqual([...names].sort())
    })
  )

  check("a delayed item waits for its delay", (queue) =>
    Effect.gen(function* () {
      yield* one.offer(queue, [offer("later", { delay: hour }), offer("soon", { delay: 1 })])
      yield* until(
        Effect.map(claim(two, queue), (items) => {
          expect(ids(items)).not.toContain("later")
          return ids(items).includes("soon")
        })
      )
      const { next } = yield* one.claim(queue, {
        endsLeases: true,
        lease: hour,
        limit: 1,
        maxAttempts: 5,
        token: randomUUID()
      })
      if (next !== undefined) expect(next).toBeLessThanOrEqual(hour)
      expect((yield* one.get(queue, "later"))?.state).toBe("delayed")
    })
  )

  check("a completed item is kept with its result, or removed if it is not to be kept", (queue) =>
    Effect.gen(function* () {
      yield* one.offer(queue, [offer("keep"), offer("drop", { keep: false })])
      const items = yield* claim(one, queue)
      expect(yield* settle(one, queue, items, { _tag: "Completed", result: '{"a":1}' })).toEqual([])
      expect(yield* two.get(queue, "keep")).toMatchObject({ result: '{"a":1}', state: "completed" })
      expect(yield* two.get(queue, "drop")).toBeUndefined()
      expect(yield* two.offer(queue, [offer("drop")])).toEqual([true])
    })
  )

  check("a retried item waits for its delay and counts its attempts", (queue) =>
    Effect.gen(function* () {
      yield* one.offer(queue, [offer("a"), offer("b")])
      const [a, b] = yield* claim(one, queue)
      yield* settle(one, queue, [a!], retry(0))
      yield* settle(one, queue, [b!], retry(hour))
      const [again] = yield* claim(two, queue)
      expect(again).toMatchObject({ attempts: 2, id: "a" })
      const waits = yield* two.get(queue, "b")
      expect(waits).toMatchObject({ attempts: 1, state: "delayed" })
      expect(waits?.failure).toContain("oops")
    })
  )

  check("a dead item keeps its failure and is not claimed until it is requeued", (queue) =>
    Effect.gen(function* () {
      yield* one.offer(queue, [offer("a"), offer("b")])
      const items = yield* claim(one, queue)
      yield* settle(one, queue, items, dead)
      expect(yield* claim(two, queue)).toEqual([])
      expect(yield* two.get(queue, "a")).toMatchObject({ attempts: 1, state: "dead" })
      expect((yield* two.get(queue, "a"))?.failure).toContain('"no"')
      expect(yield* two.requeue(queue, ["a", "unknown"])).toBe(1)
      expect(yield* claim(one, queue)).toMatchObject([{ attempts: 1, id: "a" }])
      expect(yield* two.requeue(queue, "dead")).toBe(1)
      expect(ids(yield* claim(one, queue))).toEqual(["b"])
      expect(yield* two.requeue(queue, ["a", "b"])).toBe(0)
    })
  )

  check("a released item waits again at once, and the attempt does not count", (queue) =>
    Effect.gen(function* () {
      yield* one.offer(queue, [offer("a")])
      yield* settle(one, queue, yield* claim(one, queue), released)
      expect(yield* claim(two, queue)).toMatchObject([{ attempts: 1, id: "a" }])
    })
  )

  check("an item whose lease has ended is claimed again, and its first claim is lost", (queue) =>
    Effect.gen(function* () {
      yield* one.offer(queue, [offer("a")])
      const first = yield* claim(one, queue, 1, 1)
      let second: ReadonlyArray<Claimed> = []
      yield* until(
        Effect.map(claim(two, queue), (items) => {
          second = items
          return items.length > 0
        })
      )
      expect(second).toMatchObject([{ attempts: 2, id: "a" }])
      expect(yield* one.renew(queue, first, hour)).toEqual(["a"])
      expect(yield* settle(one, queue, first, completed)).toEqual(["a"])
      expect((yield* one.get(queue, "a"))?.state).toBe("running")
      expect(yield* settle(two, queue, second, completed)).toEqual([])
      expect(yield* settle(two, queue, second, dead)).toEqual(["a"])
      expect((yield* one.get(queue, "a"))?.state).toBe("completed")
    })
  )

  check("a renewed lease ends at its new time", (queue) =>
    Effect.gen(function* () {
      yield* one.offer(queue, [offer("a")])
      const items = yield* claim(one, queue)
      expect(yield* one.renew(queue, items, 2 * hour)).toEqual([])
      expect(yield* claim(two, queue)).toEqual([])
      expect(yield* one.renew(queue, items, 1)).toEqual([])
      yield* until(Effect.map(claim(two, queue), ({ length }) => length === 1))
    })
  )

  check("an item whose lease ends in its last attempt is dead", (queue) =>
    Effect.gen(function* () {
      yield* one.offer(queue, [offer("a")])
      yield* claim(one, queue, 1, 1, 1)
      yield* until(
        Effect.andThen(
          claim(two, queue, 1, hour, 1),
          Effect.map(two.get(queue, "a"), (item) => item?.state === "dead")
        )
      )
      expect((yield* two.get(queue, "a"))?.failure).toContain('"lost"')
    })
  )

  check("an item whose lease ends in its last attempt is among the dead of one claim", (queue) =>
    Effect.gen(function* () {
      yield* one.offer(queue, [offer("a"), offer("b"), offer("c")])
      yield* claim(one, queue, 2, 1, 1)
      const found: Array<Claim["dead"][number]> = []
      const look = (store: Store) =>
        Effect.map(
          store.claim(queue, {
            endsLeases: true,
            lease: hour,
            limit: 1,
            maxAttempts: 1,
            token: randomUUID()
          }),
          ({ dead }) => found.push(...dead)
        )
      yield* until(Effect.map(look(two), () => found.length > 1))
      yield* look(one)
      yield* look(two)
      expect(found.toSorted((a, b) => a.id.localeCompare(b.id))).toEqual([
        { attempts: 1, id: "a" },
        { attempts: 1, id: "b" }
      ])
    })
  )

  check("a batch may have the items of several claims", (queue) =>
    Effect.gen(function* () {
      const once = { keep: false }
      yield* one.offer(queue, [offer("a", once), offer("b"), offer("c", once), offer("d")])
      const items = [...(yield* claim(one, queue, 2)), ...(yield* claim(one, queue, 2))]
      expect(yield* one.renew(queue, items, hour)).toEqual([])
      expect(yield* settle(one, queue, items, completed)).toEqual([])
      expect(yield* two.stats(queue)).toMatchObject({ completed: 2, running: 0, waiting: 0 })
      expect(yield* settle(one, queue, items, completed)).toEqual(ids(items))
    })
  )

  check("a token that no claim has changes nothing", (queue) =>
    Effect.gen(function* () {
      yield* one.offer(queue, [offer("a")])
      const [item] = yield* claim(one, queue)
      for (const token of ["", "0.", "a", `${"9".repeat(30)}.a`, `${item!.token}x`, randomUUID()]) {
        const claimed = { ...item!, token }
        expect(yield* one.renew(queue, [claimed], hour)).toEqual(["a"])
        expect(yield* settle(one, queue, [claimed], completed)).toEqual(["a"])
        expect(yield* settle(one, queue, [claimed], dead)).toEqual(["a"])
      }
      expect(yield* settle(one, queue, [item!], completed)).toEqual([])
    })
  )

  check("a paused queue is not claimed from, in no process, until it is resumed", (queue) =>
    Effect.gen(function* () {
      yield* one.offer(queue, [offer("a")])
      yield* one.pause(queue)
      yield* one.pause(queue)
      yield* one.offer(queue, [offer("b")])
      expect(yield* claim(two, queue)).toEqual([])
      expect(yield* two.stats(queue)).toMatchObject({ paused: true, waiting: 2 })
      yield* two.resume(queue)
      expect(ids(yield* claim(one, queue))).toEqual(["a", "b"])
      expect((yield* two.stats(queue)).paused).toBe(false)
    })
  )

  check("a queue that is paused before its first item is known", (queue) =>
    Effect.gen(function* () {
      yield* one.pause(queue)
      expect(yield* two.queues).toContain(queue)
      yield* one.resume(queue)
    })
  )

  check("counts the items of each state", (queue) =>
    Effect.gen(function* () {
      const nothing = {
        completed: 0,
        dead: 0,
        delayed: 0,
        oldestWaiting: 0,
        paused: false,
        running: 0,
        waiting: 0
      }
      expect(yield* one.stats(queue)).toEqual(nothing)
      yield* one.offer(
        queue,
        ["c", "d", "r", "w"].map((id) => offer(id))
      )
      yield* one.offer(queue, [offer("l", { delay: hour })])
      const [c, d] = yield* claim(one, queue, 3)
      yield* settle(one, queue, [c!], completed)
      yield* settle(one, queue, [d!], dead)
      const { oldestWaiting, ...counts } = yield* two.stats(queue)
      expect(counts).toEqual({
        completed: 1,
        dead: 1,
        delayed: 1,
        paused: false,
        running: 1,
        waiting: 1
      })
      expect(oldestWaiting).toBeGreaterThanOrEqual(0)
      expect(yield* two.queues).toContain(queue)
    })
  )

  check("lists the items of a state by parts", (queue) =>
    Effect.gen(function* () {
      const names = Array.from({ length: 7 }, (_, i) => `l${i}`)
      yield* one.offer(
        queue,
        names.map((id) => offer(id, { priority: 3, tenant: "t" }))
      )
      const found: Array<string> = []
      let after: string | undefined
      do {
        const page = yield* two.list(queue, { after, limit: 3, state: "waiting" })
        expect(page.items.length).toBeLessThanOrEqual(3)
        found.push(...ids(page.items))
        after = page.next
      } while (after !== undefined)
      expect(found).toEqual(names)
      const { items } = yield* two.list(queue, { limit: 1, state: "waiting" })
      expect(items[0]).toMatchObject({ attempts: 0, failure: undefined, priority: 3, tenant: "t" })
      expect(Math.abs(items[0]!.createdAt - items[0]!.dueAt)).toBeLessThanOrEqual(1)
      expect((yield* two.list(queue, { limit: 9, state: "dead" })).items).toEqual([])
    })
  )

  check("removes items that do not run", (queue) =>
    Effect.gen(function* () {
      yield* one.offer(
        queue,
        ["r", "w", "x"].map((id) => offer(id))
      )
      yield* claim(one, queue, 1)
      expect(yield* two.remove(queue, ["r", "w", "unknown"])).toBe(1)
      expect(yield* one.get(queue, "w")).toBeUndefined()
      expect((yield* one.get(queue, "r"))?.state).toBe("running")
      expect(ids(yield* claim(one, queue))).toEqual(["x"])
    })
  )

  check("cleanup removes old completed and dead items only", (queue) =>
    Effect.gen(function* () {
      yield* one.offer(
        queue,
        ["c", "d", "r", "w"].map((id) => offer(id))
      )
      const [c, d] = yield* claim(one, queue, 3)
      yield* settle(one, queue, [c!], completed)
      yield* settle(one, queue, [d!], dead)
      yield* one.cleanup({ completed: hour, dead: hour })
      expect(yield* two.stats(queue)).toMatchObject({ completed: 1, dead: 1 })
      yield* until(
        Effect.andThen(
          one.cleanup({ completed: 0, dead: hour }),
          Effect.map(two.stats(queue), (stats) => stats.completed === 0)
        )
      )
      expect(yield* two.stats(queue)).toMatchObject({ dead: 1, running: 1, waiting: 1 })
      yield* until(
        Effect.andThen(
          one.cleanup({ completed: hour, dead: 0 }),
          Effect.map(two.stats(queue), (stats) => stats.dead === 0)
        )
      )
      expect(yield* two.stats(queue)).toMatchObject({ running: 1, waiting: 1 })
      expect(yield* one.offer(queue, [offer("c")])).toEqual([true])
    })
  )

  check(
    "wakes the listeners of all processes when items come, are requeued, or the queue is resumed",
    (queue) =>
      Effect.gen(function* () {
        let woken = 0
        yield* two.onWake((name) => {
          if (name === queue || name === undefined) woken++
        })
        const wakes = (effect: Effect.Effect<unknown, unknown>) =>
          Effect.suspend(() => {
            const before = woken
            return Effect.andThen(effect, until(Effect.sync(() => woken > before)))
          })
        // A listener may need time until it hears the first one.
        let count = 0
        const before = woken
        yield* until(
          Effect.suspend(() =>
            Effect.map(one.offer(queue, [offer(`n${count++}`)]), () => woken > before)
          )
        )
        yield* wakes(one.offer(queue, [offer("again")]))
        yield* settle(one, queue, yield* claim(one, queue), dead)
        yield* wakes(one.requeue(queue, "dead"))
        yield* one.pause(queue)
        yield* wakes(one.resume(queue))
      })
  )

  check("large items, and many in one batch", (queue) =>
    Effect.gen(function* () {
      const element = JSON.stringify("x".repeat(2 ** 20))
      yield* one.offer(queue, [offer("large", { element })])
      const [large] = yield* claim(two, queue)
      expect(large?.element).toBe(element)
      const batch = Array.from({ length: 3000 }, (_, i) => offer(`b${i}`))
      expect((yield* one.offer(queue, batch)).filter(Boolean)).toHaveLength(3000)
      expect((yield* two.stats(queue)).waiting).toBe(3000)
    })
  )

  check("names and ids with quotes, percent signs, emoji and 200 characters", (queue) =>
    Effect.gen(function* () {
      const names = ["it's", '"q"', "100%_", "\u{1f600}", "a:b/c d", "{x}", "x".repeat(200)]
      yield* one.offer(
        queue,
        names.map((id) => offer(id, { tenant: id }))
      )
      const items = yield* claim(two, queue)
      expect(ids(items).sort()).toEqual([...names].sort())
      expect(yield* settle(two, queue, items, completed)).toEqual([])
      for (const id of names) expect((yield* one.get(queue, id))?.state).toBe("completed")
      expect(yield* one.remove(queue, names)).toBe(names.length)
    })
  )

  check("ids that no item can have are unknown ids", (queue) =>
    Effect.gen(function* () {
      yield* one.offer(queue, [offer("a"), offer("__proto__"), offer("constructor")])
      const odd = ["a\0", "\0", "\ud800", "", "x".repeat(10_000)]
      for (const id of odd) expect(yield* one.get(queue, id)).toBeUndefined()
      expect(yield* one.remove(queue, [...odd, "a", "a"])).toBe(1)
      expect(yield* one.requeue(queue, [...odd, "a"])).toBe(0)
      const left = yield* claim(one, queue)
      expect(ids(left)).toEqual(["__proto__", "constructor"])
    })
  )

  check("a running item is neither requeued nor removed, and its claim is not lost", (queue) =>
    Effect.gen(function* () {
      yield* one.offer(queue, [offer("a")])
      const [item] = yield* claim(one, queue)
      expect(yield* two.requeue(queue, ["a"])).toBe(0)
      expect(yield* two.requeue(queue, "dead")).toBe(0)
      expect(yield* two.remove(queue, ["a"])).toBe(0)
      expect(yield* claim(two, queue)).toEqual([])
      expect(yield* settle(one, queue, [item!], completed)).toEqual([])
    })
  )

  check("answers the ping", () => one.ping)
}
