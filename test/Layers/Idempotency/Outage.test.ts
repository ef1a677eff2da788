import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { KeyStoreError, type Store } from "flange/Idempotency"
import { Redis } from "flange/Redis"
import { TestApp } from "flange/Testing"
import { MemoryStore } from "../../../src/Layers/Idempotency/MemoryStore.ts"
import * as RedisStore from "../../../src/Layers/Idempotency/RedisStore.ts"
import * as SqlStore from "../../../src/Layers/Idempotency/SqlStore.ts"
import { Unsettled } from "../../../src/Layers/Idempotency/Unsettled.ts"
import { connect } from "../../../src/Layers/Redis/Connect.ts"
import { all, onEach, open } from "../Database/backends.ts"
import { proxyTo } from "../Database/proxy.ts"
import { describeRedis, redisServer, settings } from "../Redis/server.ts"
import { until } from "./conformance.ts"
import { ada, make } from "./fixtures.ts"

type Operation = "claim" | "complete" | "release"

/** A store that fails in the operations of the set. */
const failing = (broken: Set<Operation>, memory = new MemoryStore(2 ** 20)): Store => {
  const failed = (operation: Operation) =>
    Effect.fail(new KeyStoreError({ cause: "it is away", operation }))
  return {
    claim: (attempt, lease) =>
      broken.has("claim") ? failed("claim") : memory.claim(attempt, lease),
    complete: (attempt, reply, ttl) =>
      broken.has("complete") ? failed("complete") : memory.complete(attempt, reply, ttl),
    isTransactional: false,
    ping: Effect.void,
    release: (attempt) => (broken.has("release") ? failed("release") : memory.release(attempt)),
    renew: undefined
  }
}

const book = { headers: ada("k"), json: { what: "book" } }

describe("a store that does not work", () => {
  it.effect("refuses requests with a key, and no others", () =>
    Effect.gen(function* () {
      const { app, ran } = make({ store: failing(new Set(["claim"])) })
      const test = yield* TestApp.make(app)
      ;(yield* test.post("/orders", book)).expectStatus(503).expectHeader("retry-after", "1")
      assert.strictEqual(ran.length, 0)
      ;(yield* test.post("/orders", { ...book, headers: ada() })).expectStatus(200)
    })
  )

  it.effect("lets requests pass without protection if it is configured as open", () =>
    Effect.gen(function* () {
      const { app, ran } = make({
        store: failing(new Set(["claim"])),
        values: { idempotency: { onOutage: "open" } }
      })
      const test = yield* TestApp.make(app)
      ;(yield* test.post("/orders", book)).expectStatus(200)
      ;(yield* test.post("/orders", book)).expectStatus(200)
      assert.strictEqual(ran.length, 2)
    })
  )

  it.effect("and carries out a claim late leaves the key free once it works", () =>
    Effect.gen(function* () {
      const broken = new Set<Operation>(["claim", "release"])
      const memory = new MemoryStore(2 ** 20)
      const claims: Array<Effect.Effect<unknown, unknown>> = []
      const store = failing(broken, memory)
      const late: Store = {
        ...store,
        claim: (attempt, lease) => {
          if (broken.has("claim")) claims.push(memory.claim(attempt, lease))
          return store.claim(attempt, lease)
        }
      }
      const { app, ran } = make({ store: late })
      const test = yield* TestApp.make(app)
      for (const key of ["k", "l"]) {
        ;(yield* test.post("/orders", { ...book, headers: ada(key) })).expectStatus(503)
      }
      yield* TestClock.adjust("20 seconds")
      yield* Effect.all(claims)
      broken.clear()
      yield* TestClock.adjust("1 second")
      for (const key of ["k", "l"]) {
        ;(yield* test.post("/orders", { ...book, headers: ada(key) })).expectStatus(200)
      }
      assert.strictEqual(ran.length, 2)
    })
  )

  it.effect("has a bounded number of keys to free, and the log tells when it is reached", () =>
    Effect.gen(function* () {
      const broken = new Set<Operation>(["claim", "release"])
      const store = failing(broken)
      let freed = 0
      const counted = Effect.sync(() => void freed++)
      const { app } = make({
        store: {
          ...store,
          release: (attempt) => Effect.andThen(store.release(attempt), counted)
        }
      })
      const test = yield* TestApp.make(app)
      const sentence =
        "1000 idempotency keys wait until the store frees them. Those of further requests stay in use until their leases end"
      const told = () => test.logs.filter(({ message }) => message.includes(sentence)).length
      const send = (count: number) =>
        Effect.repeat(
          Effect.map(test.post("/orders", book), (reply) => reply.expectStatus(503)),
          { times: count - 1 }
        )
      yield* send(1000)
      assert.strictEqual(told(), 0)
      yield* send(2)
      assert.strictEqual(told(), 1)
      broken.delete("release")
      yield* TestClock.adjust("1 minute")
      yield* Effect.repeat(Effect.yieldNow, { until: () => freed === 1000 })
      broken.add("release")
      yield* send(1000)
      assert.strictEqual(told(), 1)
      yield* send(1)
      assert.strictEqual(told(), 2)
    })
  )

  it.effect("settles every attempt but those that fail for a reason of their own", () =>
    Effect.gen(function* () {
      const settled: Array<string> = []
      const settle = (id: string, operation: Operation) =>
        id.startsWith("bad")
          ? Effect.fail(new KeyStoreError({ cause: "it is locked", operation }))
          : Effect.sync(() => settled.push(id))
      const unsettled = new Unsettled({
        ...failing(new Set()),
        complete: ({ id }) => Effect.as(settle(id, "complete"), true),
        release: ({ id }) => Effect.asVoid(settle(id, "release"))
      })
      for (const id of ["bad 1", "bad 2", "a", "bad 3", "bad 4", "bad 5", "b"]) {
        yield* unsettled.free({ fingerprint: "f", id, owner: id })
        yield* unsettled.keep({ fingerprint: "f", id: `${id} kept`, owner: id }, "r", 60_000)
      }
      yield* Effect.forkScoped(unsettled.run)
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(settled.toSorted(), ["a", "a kept", "b", "b kept"])
    })
  )

  it.effect("that throws or does not answer holds up no other attempt", () =>
    Effect.gen(function* () {
      const freed: Array<string> = []
      const unsettled = new Unsettled({
        ...failing(new Set()),
        release: ({ id }) => {
          if (id === "throws") throw new Error("a bug of the store")
          return id === "hangs" ? Effect.never : Effect.sync(() => void freed.push(id))
        }
      })
      for (const id of ["throws", "hangs", "a"]) {
        yield* unsettled.free({ fingerprint: "f", id, owner: id })
      }
      yield* Effect.forkScoped(unsettled.run)
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(freed, ["a"])
    })
  )

  it.effect("has the reply of the attempt that had the key last", () =>
    Effect.gen(function* () {
      const broken = new Set<Operation>(["complete"])
      const memory = new MemoryStore(2 ** 20)
      const unsettled = new Unsettled(failing(broken, memory))
      const attempt = (owner: string) => ({ fingerprint: "f", id: "a", owner })
      yield* memory.claim(attempt("second"), 60_000)
      yield* unsettled.keep(attempt("first"), "first", 60_000)
      yield* unsettled.keep(attempt("second"), "second", 60_000)
      const done = { _tag: "Done", fingerprint: "f", reply: "second" } as const
      assert.deepStrictEqual(yield* unsettled.find("a"), done)
      broken.clear()
      yield* Effect.forkScoped(unsettled.run)
      yield* TestClock.adjust("1 second")
      assert.isUndefined(yield* unsettled.find("a"))
      assert.deepStrictEqual(yield* memory.claim(attempt("third"), 1000), done)
    })
  )

  it.effect("gets a reply until its time has passed, and no longer", () =>
    Effect.gen(function* () {
      const unsettled = new Unsettled({ ...failing(new Set()), complete: () => Effect.never })
      yield* Effect.forkScoped(unsettled.run)
      assert.isTrue(yield* unsettled.keep({ fingerprint: "f", id: "a", owner: "a" }, "r", 4000))
      yield* TestClock.adjust("3 seconds")
      const done = { _tag: "Done", fingerprint: "f", reply: "r" } as const
      assert.deepStrictEqual(yield* unsettled.find("a"), done)
      yield* TestClock.adjust("1 second")
      assert.isUndefined(yield* unsettled.find("a"))
    })
  )

  it.effect("is told once a minute", () =>
    Effect.gen(function* () {
      const { app } = make({ store: failing(new Set(["claim"])) })
      const test = yield* TestApp.make(app)
      const told = () => test.logs.filter(({ message }) => message.includes("be claimed")).length
      for (const count of [1, 1, 2]) {
        ;(yield* test.post("/orders", book)).expectStatus(503)
        assert.strictEqual(told(), count)
        yield* TestClock.adjust("30 seconds")
      }
    })
  )

  it.effect("after the handler changes no reply, and the process sends it again", () =>
    Effect.gen(function* () {
      const { app, ran } = make({ store: failing(new Set(["complete", "release"])) })
      const test = yield* TestApp.make(app)
      ;(yield* test.post("/orders", book)).expectStatus(200)
      ;(yield* test.post("/orders", book))
        .expectStatus(200)
        .expectHeader("idempotency-replayed", "true")
      ;(yield* test.post("/orders", { ...book, json: { what: "pen" } })).expectStatus(422)
      ;(yield* test.post("/required", { headers: ada("k") })).expectStatus(200)
      assert.strictEqual(ran.length, 2)
    })
  )

  it.effect("after the handler gets its reply as soon as it works again", () =>
    Effect.gen(function* () {
      const broken = new Set<Operation>(["complete"])
      const { app, ran } = make({ store: failing(broken) })
      const test = yield* TestApp.make(app)
      ;(yield* test.post("/orders", book)).expectStatus(200)
      yield* TestClock.adjust("20 minutes")
      broken.clear()
      yield* TestClock.adjust("1 second")
      ;(yield* test.post("/orders", book))
        .expectStatus(200)
        .expectHeader("idempotency-replayed", "true")
      assert.strictEqual(ran.length, 1)
    })
  )
})

describeRedis("a Redis that does not answer for a time", () => {
  it.live("sends the reply of a request again although the lease of its key has ended", () =>
    Effect.gen(function* () {
      const server = yield* redisServer()
      const context = yield* connect(settings({ url: server.url }))
      const store = RedisStore.make(Context.get(context, Redis), "ended")
      const broken = failing(new Set(["complete"]))
      const { app, ran } = make({ store: { ...store, complete: broken.complete } })
      const test = yield* TestApp.make(app)
      ;(yield* test.post("/orders", book)).expectStatus(200)
      // Every key is gone, as after the ends of their leases.
      yield* server.command("FLUSHALL")
      ;(yield* test.post("/orders", book))
        .expectStatus(200)
        .expectHeader("idempotency-replayed", "true")
      assert.strictEqual(ran.length, 1)
    })
  )

  it.live("has the key of a request that runs again with its renewal, if no other has it", () =>
    Effect.gen(function* () {
      const server = yield* redisServer()
      const context = yield* connect(settings({ url: server.url }))
      const { claim, renew } = RedisStore.make(Context.get(context, Redis), "renewed")
      const attempt = () => ({
        fingerprint: "f".repeat(43),
        id: "a",
        owner: crypto.randomUUID()
      })
      const [first, second] = [attempt(), attempt()]
      yield* claim(first, 60_000)
      yield* server.command("FLUSHALL")
      yield* renew!(first, 60_000)
      const running = { _tag: "Running", fingerprint: first.fingerprint } as const
      assert.deepStrictEqual(yield* claim(second, 60_000), running)
      yield* server.command("FLUSHALL")
      yield* claim(second, 60_000)
      yield* renew!(first, 1)
      assert.deepStrictEqual(yield* claim(first, 60_000), running)
    })
  )

  it.live("keeps no key of the claims that it carries out late", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* redisServer()
        const context = yield* connect(settings({ commandTimeout: "200ms", url: server.url }))
        const store = RedisStore.make(Context.get(context, Redis), "late")
        const attempt = (key: string) => ({
          fingerprint: "f".repeat(43),
          id: key,
          owner: crypto.randomUUID()
        })
        const unsettled = new Unsettled(store)
        yield* Effect.forkScoped(unsettled.run)
        yield* server.freeze
        for (const key of ["a", "b"]) {
          const lost = attempt(key)
          yield* Effect.flip(store.claim(lost, 60_000))
          yield* unsettled.free(lost)
        }
        yield* server.thaw
        for (const key of ["a", "b"]) {
          const claim = Effect.orElseSucceed(store.claim(attempt(key), 60_000), () => undefined)
          yield* Effect.repeat(Effect.delay(claim, 50), {
            until: (found) => found?._tag === "Claimed"
          })
        }
      })
    )
  )
})

onEach(all, "a claim that the database carries out after its release", (backend) => {
  const attempt = (id: string) => ({
    fingerprint: "f".repeat(43),
    id: id.padEnd(43, "x"),
    owner: crypto.randomUUID()
  })

  it.live("keeps no key", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const sql = yield* open(yield* backend.fresh)
        const store = SqlStore.make(sql)
        yield* store.createTable
        const lost = attempt("a")
        yield* store.release(lost)
        yield* store.prune
        const row = sql`into ${sql(SqlStore.table)} (id, owner, fingerprint, expires_at) values (${`L${lost.id}`}, ${lost.owner}, ${lost.fingerprint}, 9999999999999)`
        yield* backend.kind === "mysql"
          ? sql`insert ignore ${row}`
          : sql`insert ${row} on conflict do nothing`
        if (store.renew !== undefined) yield* store.renew(lost, 60_000)
        const next = attempt("a")
        assert.strictEqual((yield* store.claim(next, 60_000))._tag, "Claimed")
        yield* store.release(lost)
        assert.strictEqual((yield* store.claim(attempt("a"), 60_000))._tag, "Running")
      })
    )
  )

  if (backend.kind !== "pg") return

  it.live("keeps no key after its connection was lost", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const url = yield* backend.fresh
        const proxy = yield* proxyTo(url)
        const sql = yield* open(url, { maxConnections: 4 })
        const store = SqlStore.make(sql)
        yield* store.createTable
        const client = SqlStore.make(yield* open(proxy.url))
        const lost = attempt("a")
        // Until its end, the transaction of another attempt holds up the claim.
        const entered = yield* Deferred.make<number>()
        const end = yield* Deferred.make<void>()
        const other = yield* Effect.forkChild(
          sql
            .withTransaction(
              Effect.gen(function* () {
                const [own] = yield* sql<{ pid: number }>`select pg_backend_pid() as pid`
                yield* store.claim(attempt("a"), 60_000)
                yield* Deferred.succeed(entered, own!.pid)
                yield* Deferred.await(end)
                return yield* Effect.fail("rolled back" as const)
              })
            )
            .pipe(Effect.exit)
        )
        const pid = yield* Deferred.await(entered)
        const blocked = sql<{
          pid: number
        }>`select pid from pg_stat_activity where ${pid} = any(pg_blocking_pids(pid))`
        const claim = yield* Effect.forkChild(Effect.flip(client.claim(lost, 60_000)))
        yield* until(Effect.map(blocked, ({ length }) => length === 1))
        const [late] = yield* blocked
        yield* proxy.down
        yield* Fiber.join(claim)
        const release = yield* Effect.forkChild(store.release(lost))
        yield* until(
          Effect.map(blocked, ({ length }) => length === 2 || release.pollUnsafe() !== undefined)
        )
        yield* Deferred.succeed(end, undefined)
        yield* Fiber.join(other)
        yield* Fiber.join(release)
        const running = sql`select pid from pg_stat_activity where pid = ${late!.pid}`
        yield* until(Effect.map(running, ({ length }) => length === 0))
        assert.strictEqual((yield* store.claim(attempt("a"), 60_000))._tag, "Claimed")
      })
    )
  )
})

describe("the memory", () => {
  const attempt = (id: number) => ({ fingerprint: "f", id: `${id}`, owner: `${id}` })

  it.effect("drops the oldest replies above its budget, and no running request", () =>
    Effect.gen(function* () {
      const memory = new MemoryStore(10_000)
      yield* memory.claim(attempt(0), 1)
      for (let id = 1; id <= 100; id++) {
        yield* memory.claim(attempt(id), 1)
        yield* memory.complete(attempt(id), "x".repeat(600), 1000)
        assert.isAtMost(memory.bytes, 10_000)
      }
      assert.strictEqual(memory.evictions, 90)
      assert.strictEqual((yield* memory.claim(attempt(0), 1))._tag, "Running")
      assert.strictEqual((yield* memory.claim(attempt(100), 1))._tag, "Done")
      assert.strictEqual((yield* memory.claim(attempt(1), 1))._tag, "Claimed")
    })
  )

  it.effect("drops expired replies when it keeps another one", () =>
    Effect.gen(function* () {
      const memory = new MemoryStore(10_000)
      for (const id of [1, 2]) {
        yield* memory.claim(attempt(id), 1)
        yield* memory.complete(attempt(id), "x", 1000)
        yield* TestClock.adjust("2 seconds")
      }
      assert.strictEqual(memory.bytes, 401)
      assert.strictEqual(memory.evictions, 0)
    })
  )
})
