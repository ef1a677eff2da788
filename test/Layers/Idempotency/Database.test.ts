import { assert, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { SqlClient } from "effect/sql/SqlClient"
import type * as Database from "flange/Database"
import { TestApp } from "flange/Testing"
import * as SqlStore from "../../../src/Layers/Idempotency/SqlStore.ts"
import { all, onEach } from "../Database/backends.ts"
import { until } from "./conformance.ts"
import { ada } from "./fixtures.ts"
import { amounts, LimitReached, make, type Script } from "./payments.ts"

onEach(all, "a request with a key", (backend) => {
  const setUp = (script: Script, options?: Database.TransactionalOptions, idempotency?: object) =>
    Effect.gen(function* () {
      const url = yield* backend.fresh
      const test = yield* TestApp.make(make(url, script, options, idempotency))
      const pay = (key: string, amount = 5) =>
        test.post("/payments", { headers: ada(key), json: { amount } })
      return { paid: test.run(amounts), pay, test }
    })
  const nothing: Script = { written: () => Effect.void }

  it.live("writes once, and commits its reply with the writes", () =>
    Effect.gen(function* () {
      const { paid, pay } = yield* setUp(nothing)
      const first = (yield* pay("k")).expectStatus(201)
      const second = (yield* pay("k"))
        .expectStatus(201)
        .expectHeader("idempotency-replayed", "true")
        .expectHeader("location", first.headers.get("location")!)
      assert.strictEqual(second.text, first.text)
      ;(yield* pay("k", 6)).expectStatus(422)
      ;(yield* pay("other", 6)).expectStatus(201)
      assert.deepStrictEqual(yield* paid, [5, 6])
    })
  )

  it.live("that fails with an error of its contract writes nothing, and gets the error again", () =>
    Effect.gen(function* () {
      let runs = 0
      const { paid, pay } = yield* setUp({
        written: () => {
          runs++
          return Effect.fail(new LimitReached())
        }
      })
      const first = (yield* pay("k")).expectStatus(409)
      const second = (yield* pay("k"))
        .expectStatus(409)
        .expectHeader("idempotency-replayed", "true")
      assert.strictEqual(second.text, first.text)
      assert.strictEqual(runs, 1)
      assert.deepStrictEqual(yield* paid, [])
    })
  )

  it.live("that dies writes nothing, and is carried out when it comes again", () =>
    Effect.gen(function* () {
      let isBroken = true
      const { paid, pay } = yield* setUp({
        written: () => (isBroken ? Effect.die("bug") : Effect.void)
      })
      ;(yield* pay("k")).expectStatus(500)
      isBroken = false
      ;(yield* pay("k")).expectStatus(201)
      ;(yield* pay("k")).expectHeader("idempotency-replayed", "true")
      assert.deepStrictEqual(yield* paid, [5])
    })
  )

  it.live("whose client goes away writes nothing, and is carried out when it comes again", () =>
    Effect.gen(function* () {
      const entered = yield* Deferred.make<void>()
      let isFirst = true
      const { paid, pay } = yield* setUp({
        written: () => {
          if (!isFirst) return Effect.void
          isFirst = false
          return Effect.andThen(Deferred.succeed(entered, undefined), Effect.never)
        }
      })
      const first = yield* Effect.forkChild(pay("k"))
      yield* Deferred.await(entered)
      yield* Fiber.interrupt(first)
      yield* until(Effect.map(pay("k"), ({ status }) => status === 201))
      assert.deepStrictEqual(yield* paid, [5])
    })
  )

  it.live("is carried out once, however many come at once", () =>
    Effect.gen(function* () {
      const { paid, pay } = yield* setUp(nothing)
      const replies = yield* Effect.forEach(Array.from({ length: 50 }), () => pay("k"), {
        concurrency: "unbounded"
      })
      for (const { status, text } of replies) assert.include([201, 409], status, text)
      assert.isTrue(replies.some(({ status }) => status === 201))
      assert.deepStrictEqual(yield* paid, [5])
    })
  )

  if (backend.kind !== "pglite") {
    it.live("is told to come back while the first one is in its transaction", () =>
      Effect.gen(function* () {
        const entered = yield* Deferred.make<void>()
        const go = yield* Deferred.make<void>()
        const { paid, pay } = yield* setUp({
          written: () => Effect.andThen(Deferred.succeed(entered, undefined), Deferred.await(go))
        })
        const first = yield* Effect.forkChild(pay("k"))
        yield* Deferred.await(entered)
        ;(yield* pay("k")).expectStatus(409).expectHeader("retry-after", "1")
        yield* Deferred.succeed(go, undefined)
        ;(yield* Fiber.join(first)).expectStatus(201)
        ;(yield* pay("k")).expectHeader("idempotency-replayed", "true")
        assert.deepStrictEqual(yield* paid, [5])
      })
    )

    it.live("that has lost its key rolls back when it commits after the other attempt", () =>
      Effect.gen(function* () {
        const entered = yield* Deferred.make<void>()
        const go = yield* Deferred.make<void>()
        const { paid, pay, test } = yield* setUp({
          written: (amount) =>
            amount === 5
              ? Effect.andThen(Deferred.succeed(entered, undefined), Deferred.await(go))
              : Effect.void
        })
        const first = yield* Effect.forkChild(pay("k"))
        yield* Deferred.await(entered)
        // As if its process had stopped for longer than the lease, and another one had the key.
        yield* test.run(
          SqlClient.use((sql) => sql`delete from ${sql(SqlStore.table)} where id like 'L%'`)
        )
        ;(yield* pay("k", 7)).expectStatus(201)
        yield* Deferred.succeed(go, undefined)
        ;(yield* Fiber.join(first)).expectStatus(409).expectHeader("retry-after", "1")
        assert.deepStrictEqual(yield* paid, [7])
      })
    )

    it.live("in a serializable transaction meets no conflict with the renewal of its lease", () =>
      Effect.gen(function* () {
        let runs = 0
        const { paid, pay } = yield* setUp(
          {
            written: () =>
              Effect.suspend(() => {
                runs++
                // Longer than a third of the lease.
                return Effect.sleep(runs === 1 ? 500 : 0)
              })
          },
          { isolation: "serializable", retries: 3 },
          { lease: "1 second" }
        )
        ;(yield* pay("k")).expectStatus(201)
        ;(yield* pay("k")).expectHeader("idempotency-replayed", "true")
        assert.deepStrictEqual(yield* paid, [5])
        assert.strictEqual(runs, 1)
      })
    )
  }

  it.live("leaves rows that are removed in batches after their time", () =>
    Effect.gen(function* () {
      const { pay, test } = yield* setUp(nothing)
      yield* pay("k")
      yield* test.run(
        Effect.gen(function* () {
          const sql = yield* SqlClient
          const store = SqlStore.make(sql)
          const table = sql(SqlStore.table)
          const row = (i: number) => ({
            expires_at: 1,
            fingerprint: "f",
            id: `R${i}`,
            owner: "o"
          })
          const others = Array.from({ length: 2499 }, (_, i) => row(i + 1))
          yield* sql`insert into ${table} ${sql.insert([row(0), ...others])}`
          assert.isTrue(yield* store.prune)
          assert.isTrue(yield* store.prune)
          assert.isFalse(yield* store.prune)
          const left = yield* sql<{ id: string }>`select id from ${table}`
          assert.strictEqual(left.length, 2)
        })
      )
      ;(yield* pay("k")).expectHeader("idempotency-replayed", "true")
    })
  )
})
