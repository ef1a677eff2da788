/** Transactions whose begin travels with their first statement. */
import { once } from "node:events"
import { type AddressInfo, connect, createServer } from "node:net"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { onPostgres } from "../drills/Backends.ts"
import { Declined, rig } from "../drills/Rig.ts"

/** The type of the message that ends a cycle, for whose answer a client waits. */
const sync = "S".charCodeAt(0)

/** Counts the cycles of the client's messages: the round trips. */
class Cycles {
  count = 0
  #pending: Buffer = Buffer.alloc(0)
  #started = false

  push(chunk: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, chunk])
    while (true) {
      const head = this.#started ? 1 : 0
      if (this.#pending.length < head + 4) return
      const length = head + this.#pending.readInt32BE(head)
      if (this.#pending.length < length) return
      if (this.#started && this.#pending[0] === sync) this.count++
      this.#started = true
      this.#pending = this.#pending.subarray(length)
    }
  }
}

/** A proxy that counts the round trips of all its connections. */
const counting = (url: string) =>
  Effect.gen(function* () {
    const { hostname, port } = new URL(url)
    const all: Array<Cycles> = []
    const server = createServer((near) => {
      const cycles = new Cycles()
      all.push(cycles)
      const far = connect(Number(port), hostname)
      for (const [one, other] of [
        [near, far],
        [far, near]
      ] as const) {
        one.on("error", () => {})
        one.on("close", () => other.destroy())
        one.pipe(other)
      }
      near.on("data", (chunk) => cycles.push(chunk))
    }).listen(0, "127.0.0.1")
    yield* Effect.promise(() => once(server, "listening"))
    yield* Effect.addFinalizer(() => Effect.sync(() => server.close()))
    const counted = new URL(url)
    counted.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
    return {
      of: <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        Effect.gen(function* () {
          const total = () => all.reduce((sum, { count }) => sum + count, 0)
          const before = total()
          yield* effect
          return total() - before
        }),
      url: counted.href
    }
  })

onPostgres((backend) => {
  const make = rig(backend, { endpoint: true, maxConnections: 1 })

  it.live("the access mode and the id of the request hold from the first statement on", () =>
    Effect.gen(function* () {
      const { insert, script, sql, test } = yield* make
      const seen = Effect.orDie(
        sql`select current_setting('app.request_id', true) as id, current_setting('transaction_read_only') as readonly`
      )
      script.read = seen
      for (const id of ["first", "second"]) {
        const reply = yield* test.get("/read", { headers: { "x-request-id": id } })
        reply.expectStatus(200).expectJson([{ id, readonly: "on" }])
      }
      script.read = insert("refused")
      const refused = yield* test.get("/read")
      refused.expectStatus(500)
      expect(yield* seen).toEqual([{ id: "", readonly: "off" }])
    })
  )

  it.live("a first statement that fails rolls back, and the connection serves others", () =>
    Effect.gen(function* () {
      const { all, insert, script, sql, test } = yield* make
      script.write = Effect.andThen(Effect.exit(sql`select 1 / 0`), Effect.orDie(sql`select 1`))
      const failed = yield* test.post("/write")
      failed.expectStatus(500)
      script.write = Effect.as(insert("kept"), "done")
      const after = yield* test.post("/write")
      after.expectStatus(200)
      expect(yield* all).toEqual(["kept"])
    })
  )

  it.live("a first statement that cannot be sent does not end the transaction", () =>
    Effect.gen(function* () {
      const { all, insert, script, sql, test } = yield* make
      const tooMany = sql`select 1 where 1 in ${sql.in(Array.from({ length: 32_768 }, () => 1))}`
      const unknown = sql`select ${Symbol("no parameter")}`
      for (const unsent of [tooMany, unknown]) {
        script.write = Effect.andThen(Effect.exit(unsent), insert("kept"))
        const reply = yield* test.post("/write")
        reply.expectStatus(200)
        script.write = Effect.andThen(
          Effect.andThen(Effect.exit(unsent), insert("lost")),
          new Declined()
        )
        const declined = yield* test.post("/write")
        declined.expectStatus(409)
        // Outside transactions on the same connection.
        yield* insert("outside")
      }
      expect(yield* all).toEqual(["kept", "kept", "outside", "outside"])
    })
  )

  it.live("a stream and a savepoint can come first", () =>
    Effect.gen(function* () {
      const { all, insert, script, sql, table, test } = yield* make
      const rows = Stream.runCollect(sql`select count(*)::int4 as rows from ${table}`.stream)
      script.write = Effect.orDie(Effect.andThen(rows, Effect.andThen(insert("a"), rows)))
      const streamed = yield* test.post("/write")
      streamed.expectStatus(200).expectJson([{ rows: 1 }])
      script.write = Effect.orDie(Effect.andThen(sql.withTransaction(insert("b")), new Declined()))
      yield* test.post("/write")
      expect(yield* all).toEqual(["a"])
    })
  )

  it.live("a computation does not count as a begin that the database does not answer", () =>
    Effect.gen(function* () {
      // A timer of Node holds 24 days.
      for (const acquireTimeout of ["1 second", "30 days"]) {
        const { script, sql, test } = yield* rig(backend, { acquireTimeout, endpoint: true })
        const compute = Effect.sync(() => {
          const end = performance.now() + 1200
          while (performance.now() < end);
        })
        script.write = Effect.all(
          [Effect.orDie(sql`select 1 as one`), Effect.andThen(Effect.yieldNow, compute)],
          { concurrency: 2 }
        )
        const reply = yield* test.post("/write")
        reply.expectStatus(200)
      }
    })
  )

  it.live("a session that has lost its prepared statements prepares them again", () =>
    Effect.gen(function* () {
      const { script, sql, test } = yield* make
      const id = Effect.orDie(sql`select current_setting('app.request_id', true) as id`)
      script.write = id
      const first = yield* test.post("/write", { headers: { "x-request-id": "first" } })
      first.expectStatus(200)
      yield* sql`deallocate all`
      // The driver does not repeat a statement inside a transaction.
      yield* test.post("/write")
      yield* test.post("/write")
      const last = yield* test.post("/write", { headers: { "x-request-id": "last" } })
      last.expectStatus(200).expectJson([{ id: "last" }])
    })
  )
})

onPostgres((backend) => {
  it.live("a transaction ends also if its session has lost its prepared statements", () =>
    Effect.gen(function* () {
      const { insert, script, sql, test } = yield* rig(backend, {
        endpoint: true,
        maxConnections: 1
      })
      const lose = sql`deallocate all`.unprepared
      const fail = Effect.exit(sql`select 1 / 0`)
      const endings = {
        commit: lose,
        rollback: Effect.andThen(lose, Effect.andThen(fail, new Declined())),
        savepoint: Effect.ignore(
          sql.withTransaction(Effect.andThen(lose, Effect.andThen(fail, new Declined())))
        )
      }
      for (const ending of Object.values(endings)) {
        script.write = Effect.orDie(ending)
        for (const run of [sql.withTransaction(ending), test.post("/write")]) {
          // The driver prepares the statement of the end in the first one.
          for (const _ of [1, 2, 3]) {
            yield* Effect.exit(run)
            // Fails in a transaction that is still open.
            yield* insert("outside")
          }
        }
      }
    })
  )

  // PGlite has no socket to count on, and one session, which nothing cancels or ends.
  if (backend.name !== "PostgreSQL") return

  it.live("a transaction waits for one round trip per statement, and a write for one more", () =>
    Effect.gen(function* () {
      const { of, url } = yield* counting(backend.url)
      const { insert, script, sql, test } = yield* rig(
        { url },
        { endpoint: true, maxConnections: 1 }
      )
      const one = Effect.orDie(sql`select 1`)
      script.read = Effect.void
      expect(yield* of(test.get("/read"))).toBe(0)
      script.read = one
      expect(yield* of(test.get("/read"))).toBe(1)
      script.read = Effect.andThen(one, one)
      expect(yield* of(test.get("/read"))).toBe(2)
      script.write = insert("a")
      expect(yield* of(test.post("/write"))).toBe(2)
      script.write = Effect.andThen(insert("a"), new Declined())
      expect(yield* of(test.post("/write"))).toBe(2)
    })
  )

  it.live("a first statement that is cancelled leaves no trace", () =>
    Effect.gen(function* () {
      const { all, insert, script, sql, test } = yield* rig(backend, {
        endpoint: true,
        maxConnections: 1
      })
      script.read = Effect.orDie(sql`select 1 as one`)
      for (const milliseconds of [0, 1, 2, 5, 20, 100]) {
        // The commit of this one may be on its way.
        const before = yield* test.get("/read")
        before.expectStatus(200)
        script.write = Effect.orDie(sql`select pg_sleep(30)`).pipe(
          Effect.timeoutOrElse({ duration: milliseconds, orElse: () => new Declined() })
        )
        const cancelled = yield* test.post("/write")
        cancelled.expectStatus(409)
        // A cancel request that came late would end one of these.
        script.write = Effect.orDie(
          sql`select pg_sleep(0.03), current_setting('app.request_id', true) as id`
        )
        const after = yield* test.post("/write", { headers: { "x-request-id": "after" } })
        after.expectStatus(200).expectJson([{ id: "after", pg_sleep: "" }])
        yield* insert("outside")
      }
      expect(yield* all).toHaveLength(6)
    })
  )

  it.live("a first statement that ends its session is not run again", () =>
    Effect.gen(function* () {
      const { script, sql, table, test } = yield* rig(backend)
      yield* sql`create sequence if not exists ${sql("flange_ahead_once")} owned by none`
      yield* sql`alter sequence flange_ahead_once restart`
      yield* Effect.addFinalizer(() => Effect.ignore(sql`drop sequence flange_ahead_once`))
      script.write = Effect.orDie(
        sql`select nextval('flange_ahead_once'), pg_terminate_backend(pg_backend_pid()), pg_sleep(1)`
      )
      const reply = yield* test.post("/write")
      reply.expectStatus(503)
      expect(yield* sql`select nextval('flange_ahead_once')::int4 as next`).toEqual([{ next: 2 }])
      expect(yield* sql`select * from ${table}`).toEqual([])
    })
  )
})
