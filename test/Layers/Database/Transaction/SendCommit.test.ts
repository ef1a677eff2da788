/** The commit of a read-only transaction, for whose answer no request waits. */
import { once } from "node:events"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"
import type { PgClient } from "@effect/sql-pg/PgClient"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { onPostgres } from "../drills/Backends.ts"
import * as Proxy from "../drills/Proxy.ts"
import { Declined, rig } from "../drills/Rig.ts"

/** A server whose answers to a commit the test changes. */
const changing = (url: string, change: (answer: Buffer) => Buffer) =>
  Effect.gen(function* () {
    const { hostname, port } = new URL(url)
    const sockets: Array<Socket> = []
    const server = createServer((near) => {
      const far = connect(Number(port), hostname)
      sockets.push(near, far)
      near.pipe(far)
      far.on("data", (bytes) => void near.write(change(bytes)))
      for (const [one, other] of [
        [near, far],
        [far, near]
      ] as const) {
        one.on("error", () => {})
        one.on("close", () => other.destroy())
      }
    }).listen(0, "127.0.0.1")
    yield* Effect.promise(() => once(server, "listening"))
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        server.close()
        for (const socket of sockets) socket.destroy()
      })
    )
    const changed = new URL(url)
    changed.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
    return changed.href
  })

/** The message with the status of the session's transaction. */
const readyForQuery = (status: string) => Buffer.from(`Z\0\0\0\u0005${status}`)

const replaced = (bytes: Buffer, from: Buffer, to: Buffer): Buffer => {
  const at = bytes.indexOf(from)
  if (at === -1) return bytes
  const rest = replaced(bytes.subarray(at + from.length), from, to)
  return Buffer.concat([bytes.subarray(0, at), to, rest])
}

onPostgres((backend) => {
  const make = rig(backend, { endpoint: true, maxConnections: 1 })

  it.live("what comes after a read on its connection is outside its transaction", () =>
    Effect.gen(function* () {
      const { all, insert, script, sql, test } = yield* make
      script.read = Effect.orDie(sql`select 1 as one`)
      script.write = Effect.as(insert("request"), "done")
      for (let round = 0; round < 20; round++) {
        const replies = yield* Effect.all(
          [test.get("/read"), insert("plain"), test.post("/write"), test.get("/read")],
          { concurrency: "unbounded" }
        )
        for (const reply of [replies[0], replies[2], replies[3]]) reply.expectStatus(200)
      }
      expect(yield* all).toHaveLength(40)
      const [settings] =
        yield* sql`select current_setting('application_name') as name, current_setting('transaction_read_only') as readonly`
      expect(settings).toMatchObject({ readonly: "off" })
      expect(settings?.["name"]).not.toMatch(/^flange\|/)
    })
  )

  it.live("a read whose failed statement was ignored fails", () =>
    Effect.gen(function* () {
      const { insert, script, sql, test } = yield* make
      const slow = Effect.orDie(sql`select pg_sleep(30)`)
      const failures: Record<string, Effect.Effect<unknown, unknown>> = {
        first: Effect.exit(sql`select 1 / 0`),
        later: Effect.andThen(sql`select 1`, Effect.exit(sql`select 1 / 0`)),
        stream: Effect.exit(Stream.runCollect(sql`select 1 / 0`.stream)),
        // PGlite cannot stop a statement.
        ...(backend.name === "PostgreSQL" && { interrupted: Effect.timeoutOption(slow, 50) })
      }
      for (const failure of Object.values(failures)) {
        script.read = Effect.orDie(failure)
        const reply = yield* test.get("/read")
        reply.expectStatus(500)
        script.read = Effect.orDie(sql`select 1 as one`)
        const after = yield* test.get("/read")
        after.expectStatus(200)
        yield* insert("outside")
      }
    })
  )

  it.live("a read that undoes a savepoint commits", () =>
    Effect.gen(function* () {
      const { script, sql, test } = yield* make
      script.read = Effect.orDie(
        Effect.andThen(Effect.exit(sql.withTransaction(sql`select 1 / 0`)), sql`select 1 as one`)
      )
      for (const _ of [1, 2]) {
        const reply = yield* test.get("/read")
        reply.expectStatus(200).expectJson([{ one: 1 }])
      }
    })
  )

  it.live("a read that did more than read fails with its commit", () =>
    Effect.gen(function* () {
      const { script, sql, test } = yield* rig(backend, { endpoint: true, maxConnections: 1 })
      yield* sql`create temp table later (id integer primary key deferrable initially deferred)`
      const twice = sql`insert into later values (1), (1)`
      const reads = {
        "a temporary table": twice,
        "another transaction": Effect.andThen(
          sql.unsafe("commit"),
          Effect.andThen(sql.unsafe("begin"), twice)
        ),
        "a transaction of the same connection": Effect.andThen(
          sql.unsafe("commit and chain"),
          twice
        )
      }
      for (const [name, read] of Object.entries(reads)) {
        script.read = Effect.orDie(Effect.andThen(sql`select 1`, read))
        const reply = yield* test.get("/read")
        expect([name, reply.status]).toEqual([name, 500])
        expect(yield* sql`select id from later`).toEqual([])
      }
    })
  )

  it.live("a read that fails rolls back", () =>
    Effect.gen(function* () {
      const { insert, script, sql, test } = yield* make
      script.read = Effect.andThen(Effect.orDie(sql`select 1`), new Declined())
      const reply = yield* test.get("/read")
      reply.expectStatus(409)
      yield* insert("outside")
    })
  )

  // PGlite has no server to be silent.
  if (backend.name !== "PostgreSQL") return

  it.live("a notification of a read arrives", () =>
    Effect.gen(function* () {
      const { script, sql, test } = yield* rig(backend)
      const { listen } = sql as PgClient
      const heard = yield* listen("flange_read")
      script.read = Effect.orDie(sql`select 1 as one from pg_notify('flange_read', 'x')`)
      const reply = yield* test.get("/read")
      reply.expectStatus(200).expectJson([{ one: 1 }])
      const { payload } = yield* Queue.take(heard)
      expect(payload).toBe("x")
    })
  )

  /** Whether a request gets its reply although the database does not answer its commit. */
  const repliesWithout = <E>(reply: Effect.Effect<unknown, E>, { stall }: Proxy.Proxy) =>
    Effect.gen(function* () {
      yield* stall("COMMIT")
      const waiting = yield* Effect.timeoutOption(reply, 500)
      return waiting._tag === "Some"
    })

  it.live("a read does not wait for its commit, and a write does", () =>
    Effect.gen(function* () {
      const proxy = yield* Proxy.make(backend.url)
      const { insert, script, sql, test } = yield* rig(proxy, {
        endpoint: true,
        statementTimeout: "1 second"
      })
      script.read = Effect.orDie(sql`select 1 as one`)
      script.write = insert("unanswered")
      expect(yield* repliesWithout(test.get("/read"), proxy)).toBe(true)
      expect(yield* repliesWithout(test.post("/write"), proxy)).toBe(false)
    })
  )

  it.live("a connection that does not answer a commit is closed without a statement", () =>
    Effect.gen(function* () {
      const proxy = yield* Proxy.make(backend.url)
      const { script, sql, test } = yield* rig(proxy, {
        acquireTimeout: "1 second",
        endpoint: true,
        maxConnections: 1,
        statementTimeout: "1 second"
      })
      script.read = Effect.orDie(sql`select 1 as one`)
      yield* proxy.stall("COMMIT")
      const first = yield* test.get("/read")
      first.expectStatus(200)
      // Longer than the limit, and the second that the client waits after it.
      yield* Effect.sleep(3000)
      const second = yield* test.get("/read")
      second.expectStatus(200)
    })
  )

  it.live("a serializable read waits for its commit, however it became serializable", () =>
    Effect.gen(function* () {
      const bySession = "set session characteristics as transaction isolation level serializable"
      for (const [endpoint, before] of [
        [{ isolation: "serializable" }, "select 1"],
        [true, bySession]
      ] as const) {
        const proxy = yield* Proxy.make(backend.url)
        const { script, sql, test } = yield* rig(proxy, {
          endpoint,
          maxConnections: 1,
          statementTimeout: "1 second"
        })
        yield* sql.unsafe(before)
        const levels: Array<unknown> = []
        script.read = Effect.orDie(
          Effect.tap(sql`select current_setting('transaction_isolation') as level`, (rows) =>
            Effect.sync(() => levels.push(...rows))
          )
        )
        expect(yield* repliesWithout(test.get("/read"), proxy)).toBe(false)
        expect(levels).toEqual([{ level: "serializable" }])
      }
    })
  )

  it.live("a connection whose commit did not end the transaction is replaced", () =>
    Effect.gen(function* () {
      let isBroken = false
      const url = yield* changing(backend.url, (bytes) =>
        isBroken ? replaced(bytes, readyForQuery("I"), readyForQuery("E")) : bytes
      )
      const { script, sql, test } = yield* rig({ url }, { endpoint: true, maxConnections: 1 })
      const pid = Effect.orDie(sql<{ readonly pid: number }>`select pg_backend_pid() as pid`)
      script.read = pid
      isBroken = true
      const first = yield* test.get("/read")
      first.expectStatus(200)
      const second = yield* test.get("/read")
      second.expectStatus(200)
      expect(second.json).not.toEqual(first.json)
    })
  )

  it.live("an app stops at once after a read", () =>
    Effect.gen(function* () {
      for (let round = 0; round < 10; round++) {
        const status = yield* Effect.scoped(
          Effect.gen(function* () {
            const { script, sql, test } = yield* make
            script.read = Effect.orDie(sql`select 1 as one`)
            const { status } = yield* test.get("/read")
            return status
          })
        )
        expect(status).toBe(200)
      }
    })
  )
})
