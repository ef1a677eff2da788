import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { onAll } from "../drills/Backends.ts"
import { Declined, rig } from "../drills/Rig.ts"

onAll((backend) => {
  describe.each([
    ["without a tracer", false],
    ["with a tracer", true]
  ] as const)("%s", (_name, traced) => {
    const make = rig(backend, { endpoint: true, traced })

    it.live("a value commits before the reply, a declared error rolls back", () =>
      Effect.gen(function* () {
        const { all, insert, script, test } = yield* make
        script.write = Effect.as(insert("kept"), { id: 1 })
        const kept = yield* test.post("/write")
        kept.expectStatus(200).expectJson({ id: 1 })
        expect(yield* all).toEqual(["kept"])
        script.write = Effect.andThen(insert("lost"), new Declined())
        const declined = yield* test.post("/write")
        declined.expectProblem("DECLINED", 409)
        expect(yield* all).toEqual(["kept"])
        test.expectNoErrors()
      })
    )

    it.live("a defect rolls back", () =>
      Effect.gen(function* () {
        const { all, insert, script, test } = yield* make
        script.write = Effect.andThen(insert("lost"), Effect.die(new Error("broken")))
        const reply = yield* test.post("/write")
        reply.expectProblem("INTERNAL_ERROR", 500)
        expect(yield* all).toEqual([])
      })
    )

    it.live("an interruption and a timeout roll back", () =>
      Effect.gen(function* () {
        const { all, insert, script, test } = yield* make
        script.write = Effect.andThen(insert("lost"), Effect.interrupt)
        const interrupted = yield* test.post("/write")
        expect(interrupted.status).toBe(503)
        expect(yield* all).toEqual([])
        script.write = Effect.andThen(insert("lost"), Effect.never).pipe(
          Effect.timeoutOrElse({ duration: "50 millis", orElse: () => new Declined() })
        )
        const late = yield* test.post("/write")
        late.expectProblem("DECLINED", 409)
        expect(yield* all).toEqual([])
      })
    )

    it.live.each([false, true])("a client that goes away rolls back (socket: %s)", (listening) =>
      Effect.gen(function* () {
        const { all, insert, script, test } = yield* rig(backend, {
          endpoint: true,
          listening,
          traced
        })
        const inserted = yield* Deferred.make<void>()
        const ended = yield* Deferred.make<void>()
        script.write = insert("lost").pipe(
          Effect.andThen(Deferred.succeed(inserted, undefined)),
          Effect.andThen(Effect.never),
          Effect.onExit(() => Deferred.succeed(ended, undefined))
        )
        const request = yield* Effect.forkChild(test.post("/write"))
        yield* Deferred.await(inserted)
        yield* Fiber.interrupt(request)
        yield* Deferred.await(ended)
        expect(yield* all).toEqual([])
      })
    )

    it.live("the database being the reason of a failure is 503 with Retry-After", () =>
      Effect.gen(function* () {
        const { insert, script, sql, test } = yield* rig(backend, {
          acquireTimeout: "200 millis",
          endpoint: true,
          maxConnections: 1,
          traced
        })
        script.write = Effect.as(insert("kept"), "written")
        const held = Effect.scoped(Effect.andThen(sql.reserve, test.post("/write")))
        const reply = yield* held
        reply.expectProblem("SERVICE_UNAVAILABLE", 503).expectHeader("retry-after", "1")
        expect(reply.text).not.toMatch(/pool|connection/i)
        const after = yield* test.post("/write")
        after.expectStatus(200)
      })
    )
  })

  const make = rig(backend)

  it.live("a handler that never queries takes no connection", () =>
    Effect.gen(function* () {
      const { sql, test } = yield* rig(backend, { endpoint: true, maxConnections: 1 })
      const reply = yield* Effect.scoped(Effect.andThen(sql.reserve, test.post("/write")))
      reply.expectStatus(200).expectJson("written")
    })
  )

  it.live("a request never takes a second connection", () =>
    Effect.gen(function* () {
      const { all, insert, script, sql, table, test } = yield* rig(backend, {
        endpoint: true,
        maxConnections: 1
      })
      script.write = insert("a", 1).pipe(
        Effect.andThen(Effect.all([insert("b", 2), insert("c", 3)], { concurrency: 2 })),
        Effect.andThen(sql.withTransaction(insert("d", 4))),
        Effect.andThen(Stream.runCollect(sql`select id from ${table} order by id`.stream)),
        Effect.orDie
      )
      const reply = yield* test.post("/write")
      reply.expectStatus(200).expectJson([{ id: 1 }, { id: 2 }, { id: 3 }, { id: 4 }])
      expect(yield* all).toEqual(["a", "b", "c", "d"])
    })
  )

  it.live("forked fibers join the transaction", () =>
    Effect.gen(function* () {
      const { all, insert, script, test } = yield* make
      const forked = Effect.gen(function* () {
        const fibers = yield* Effect.forEach([1, 2, 3], (id) => Effect.forkChild(insert("x", id)))
        yield* Effect.forEach(fibers, Fiber.join)
        yield* Effect.all([insert("y"), insert("z")], { concurrency: "unbounded" })
      })
      script.write = Effect.andThen(forked, new Declined())
      yield* test.post("/write")
      expect(yield* all).toEqual([])
      script.write = forked
      yield* test.post("/write")
      expect(yield* all).toHaveLength(5)
    })
  )

  it.live("a nested transaction that fails takes only its own work away", () =>
    Effect.gen(function* () {
      const { all, insert, script, sql, test } = yield* make
      script.write = insert("outer", 1).pipe(
        Effect.andThen(
          insert("inner", 2).pipe(
            Effect.andThen(
              Effect.exit(sql.withTransaction(Effect.andThen(insert("deep", 3), Effect.fail("no"))))
            ),
            Effect.andThen(Effect.fail("no")),
            sql.withTransaction,
            Effect.exit
          )
        ),
        Effect.andThen(sql.withTransaction(insert("kept", 4))),
        Effect.orDie
      )
      const reply = yield* test.post("/write")
      reply.expectStatus(200)
      expect(yield* all).toEqual(["outer", "kept"])
    })
  )

  it.live("concurrent siblings each have a savepoint of their own", () =>
    Effect.gen(function* () {
      const { all, insert, script, sql, test } = yield* make
      const sibling = (id: number) =>
        insert(`first ${id}`, id).pipe(
          Effect.andThen(Effect.yieldNow),
          Effect.andThen(sql.withTransaction(insert(`second ${id}`, id))),
          Effect.andThen(id % 2 === 0 ? Effect.fail("no") : Effect.void),
          sql.withTransaction,
          Effect.exit
        )
      const ids = Array.from({ length: 20 }, (_, id) => id)
      script.write = Effect.forEach(ids, sibling, { concurrency: "unbounded", discard: true })
      const reply = yield* test.post("/write")
      reply.expectStatus(200)
      const odd = ids.filter((id) => id % 2 === 1)
      expect(yield* all).toEqual(odd.flatMap((id) => [`first ${id}`, `second ${id}`]))
    })
  )

  it.live("a query beside a sibling's savepoint is not rolled back with it", () =>
    Effect.gen(function* () {
      const { all, insert, script, sql, table, test } = yield* make
      script.write = Effect.gen(function* () {
        const open = yield* Deferred.make<void>()
        const failing = insert("lost", 1).pipe(
          Effect.andThen(Deferred.succeed(open, undefined)),
          Effect.andThen(Effect.sleep("20 millis")),
          Effect.andThen(Effect.fail("no")),
          sql.withTransaction,
          Effect.exit
        )
        const beside = Effect.andThen(Deferred.await(open), insert("kept", 2))
        const streamed = Effect.andThen(
          Deferred.await(open),
          Stream.runCollect(sql`select who from ${table}`.stream)
        )
        const [, , rows] = yield* Effect.all([failing, beside, streamed], { concurrency: 3 })
        return rows
      }).pipe(Effect.orDie)
      const reply = yield* test.post("/write")
      expect(reply.text).not.toContain("lost")
      expect(yield* all).toEqual(["kept"])
    })
  )

  it.live("what waits for the commit runs after it, and not after a rollback", () =>
    Effect.gen(function* () {
      const { insert, script, sql, table, test } = yield* make
      const seen: Array<unknown> = []
      const note = sql`select who from ${table}`.pipe(
        Effect.tap((rows) => Effect.sync(() => seen.push(...rows)))
      )
      const transaction = note.pipe(
        Effect.andThen(insert("rolled back")),
        Effect.andThen(sql.withTransaction(note)),
        Effect.andThen(Effect.fail("no")),
        sql.withTransaction,
        Effect.ignore
      )
      const streamed = Stream.runForEach(sql`select who from ${table}`.stream, (row) =>
        Effect.sync(() => seen.push(row))
      )
      const notify = sql.afterCommit(
        note.pipe(Effect.andThen(transaction), Effect.andThen(streamed), Effect.orDie)
      )
      script.write = Effect.andThen(Effect.andThen(insert("lost"), notify), new Declined())
      yield* test.post("/write")
      expect(seen).toEqual([])
      script.write = Effect.andThen(notify, insert("kept"))
      yield* test.post("/write")
      const kept = { who: "kept" }
      expect(seen).toEqual([kept, kept, kept, { who: "rolled back" }, kept])
    })
  )

  it.live("a query after the end of the transaction is refused", () =>
    Effect.gen(function* () {
      const { all, insert, script, test } = yield* make
      const go = yield* Deferred.make<void>()
      const after = yield* Deferred.make<unknown>()
      script.write = Effect.andThen(
        insert("kept"),
        Effect.forkDetach(
          Deferred.await(go).pipe(
            Effect.andThen(insert("too late")),
            Effect.catchDefect((defect) => Deferred.succeed(after, defect))
          )
        )
      ).pipe(Effect.asVoid)
      yield* test.post("/write")
      yield* Deferred.succeed(go, undefined)
      expect(yield* Deferred.await(after)).toMatchObject({ _tag: "TransactionEnded" })
      expect(yield* all).toEqual(["kept"])
    })
  )

  it.live("a rollback does not wait for what forked fibers still run", () =>
    Effect.gen(function* () {
      const { all, insert, script, sql, table, test } = yield* make
      // Waits for the others' turn for ever: the stream keeps it.
      const endless = Stream.runForEach(sql`select 1`.stream, () => Effect.never)
      script.write = insert("lost").pipe(
        Effect.andThen(Effect.forkDetach(endless, { startImmediately: true })),
        Effect.andThen(Effect.sleep("20 millis")),
        Effect.andThen(new Declined())
      )
      const reply = yield* test.post("/write")
      reply.expectStatus(409)
      expect(yield* sql`select * from ${table}`).toEqual([])
      expect(yield* all).toEqual([])
    })
  )
})
