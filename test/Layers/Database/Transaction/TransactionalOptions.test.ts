import { expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as Database from "flange/Database"
import { type Backend, onAll, onMySql, onPostgres, onServers } from "../drills/Backends.ts"
import { Declined, rig, type RigOptions, type Words } from "../drills/Rig.ts"

/** Fails like a transaction that lost against another. */
const conflict = (sql: SqlClient, { name }: Backend): Effect.Effect<unknown, SqlError> =>
  name === "MySQL"
    ? sql`signal sqlstate '40001' set mysql_errno = 1213`.unprepared
    : sql`do $$ begin raise exception using errcode = '40001'; end $$`.unprepared

const isRolledBack = (backend: Backend, words: Words) =>
  Effect.gen(function* () {
    const { all, insert, script, test } = yield* rig(backend, words)
    script.write = Effect.andThen(insert("x"), new Declined())
    yield* test.post("/write")
    return (yield* all).length === 0
  })

onAll((backend) => {
  const cases: ReadonlyArray<readonly [string, Words, boolean]> = [
    ["without a word there is no transaction", {}, false],
    ["the app's word counts for every route", { app: {} }, true],
    ["the group's word counts for its endpoints", { group: true }, true],
    ["the endpoint's word counts for it", { endpoint: {} }, true],
    ["a group opts out of the app's", { app: {}, group: false }, false],
    ["an endpoint opts out of the group's", { endpoint: false, group: true }, false],
    ["an endpoint opts out of the app's", { app: {}, endpoint: false }, false],
    ["an endpoint opts in where its group opted out", { endpoint: true, group: false }, true],
    ["a group opts in", { app: {}, group: {} }, true]
  ]
  for (const [name, words, expected] of cases) {
    it.live(name, () =>
      Effect.gen(function* () {
        expect(yield* isRolledBack(backend, words)).toBe(expected)
      })
    )
  }

  it.live("GET and HEAD are read-only unless an option says otherwise", () =>
    Effect.gen(function* () {
      const strict = yield* rig(backend)
      strict.script.read = strict.insert("refused")
      const refused = yield* strict.test.get("/read")
      refused.expectProblem("INTERNAL_ERROR", 500)
      const head = yield* strict.test.head("/read")
      head.expectStatus(500)
      expect(strict.test.logs.some(({ cause }) => /read.only/i.test(String(cause)))).toBe(true)
      expect(yield* strict.all).toEqual([])
      strict.script.read = Effect.orDie(strict.sql`select 1 as one`)
      const read = yield* strict.test.get("/read")
      read.expectStatus(200).expectJson([{ one: 1 }])
      // The connection is as it was.
      yield* strict.insert("outside")
    })
  )

  it.live("a GET may write where it says so, and a POST may not", () =>
    Effect.gen(function* () {
      const writing = yield* rig(backend, { endpoint: { readOnly: false } })
      writing.script.read = Effect.as(writing.insert("kept"), 1)
      const read = yield* writing.test.get("/read")
      read.expectStatus(200)
      expect(yield* writing.all).toEqual(["kept"])
      const reading = yield* rig(backend, { endpoint: { readOnly: true } })
      reading.script.write = reading.insert("refused")
      const write = yield* reading.test.post("/write")
      write.expectStatus(500)
      expect(yield* reading.all).toEqual([])
    })
  )

  it.live("a handler that lost against another runs again, as often as the option says", () =>
    Effect.gen(function* () {
      const { all, insert, script, sql, test } = yield* rig(backend, { endpoint: { retries: 2 } })
      let runs = 0
      const failing = (times: number) =>
        Effect.suspend(() => {
          runs += 1
          return Effect.andThen(
            insert(`run ${runs}`),
            runs > times ? Effect.succeed(runs) : Effect.orDie(conflict(sql, backend))
          )
        })
      script.write = failing(2)
      const third = yield* test.post("/write")
      third.expectStatus(200).expectJson(3)
      expect(yield* all).toEqual(["run 3"])
      runs = 0
      script.write = failing(9)
      const given = yield* test.post("/write")
      given.expectProblem("INTERNAL_ERROR", 500)
      expect(runs).toBe(3)
      expect(yield* all).toEqual(["run 3"])
    })
  )

  it.live("nothing runs again without the option, nor after another failure", () =>
    Effect.gen(function* () {
      const { script, sql, test } = yield* rig(backend, { endpoint: true })
      let runs = 0
      const count = Effect.sync(() => (runs += 1))
      script.write = Effect.andThen(count, Effect.orDie(conflict(sql, backend)))
      const reply = yield* test.post("/write")
      reply.expectStatus(500)
      expect(runs).toBe(1)
      const retrying = yield* rig(backend, { endpoint: { retries: 3 } })
      retrying.script.write = Effect.andThen(count, Effect.orDie(sql`select * from nowhere`))
      const broken = yield* retrying.test.post("/write")
      broken.expectStatus(500)
      expect(runs).toBe(2)
    })
  )

  it.live("a failure that the handler swallowed is not committed over", () =>
    Effect.gen(function* () {
      const { all, insert, script, sql, test } = yield* rig(backend)
      script.write = insert("lost").pipe(
        Effect.andThen(Effect.exit(conflict(sql, backend))),
        Effect.as("fine")
      )
      const reply = yield* test.post("/write")
      reply.expectStatus(500)
      expect(yield* all).toEqual([])
    })
  )

  const outside = (options: RigOptions) =>
    Effect.gen(function* () {
      const { all, insert, script, test } = yield* rig(backend, { endpoint: true, ...options })
      script.write = insert("lost").pipe(
        Effect.andThen(Database.outsideTransaction(insert("kept"))),
        Effect.andThen(new Declined())
      )
      const reply = yield* test.post("/write")
      return [reply.status, yield* all] as const
    })

  it.live("a second connection is taken where it is asked for, and bounded like the first", () =>
    Effect.gen(function* () {
      const single = yield* outside({ acquireTimeout: "200 millis", maxConnections: 1 })
      expect(single).toEqual([503, []])
      if (backend.name !== "PGlite") {
        expect(yield* outside({ maxConnections: 2 })).toEqual([409, ["kept"]])
      }
    })
  )
})

onPostgres((backend) => {
  it.live.each(["read committed", "repeatable read", "serializable"] as const)(
    "the isolation level is %s where the option says so",
    (isolation) =>
      Effect.gen(function* () {
        const { script, sql, test } = yield* rig(backend, { endpoint: { isolation } })
        const show = Effect.orDie(
          sql`select current_setting('transaction_isolation') as level, current_setting('transaction_read_only') as readonly`
        )
        script.write = show
        script.read = show
        const write = yield* test.post("/write")
        write.expectJson([{ level: isolation, readonly: "off" }])
        const read = yield* test.get("/read")
        read.expectJson([{ level: isolation, readonly: "on" }])
      })
  )

  it.live("a commit that fails is no success: the reply waits for it", () =>
    Effect.gen(function* () {
      const { all, insert, script, sql, table, test } = yield* rig(backend)
      yield* sql`alter table ${table} add constraint once unique (id) deferrable initially deferred`
      script.write = Effect.as(Effect.andThen(insert("a"), insert("b")), "done")
      const reply = yield* test.post("/write")
      reply.expectProblem("INTERNAL_ERROR", 500)
      expect(yield* all).toEqual([])
      script.write = Effect.as(insert("a"), "done")
      const after = yield* test.post("/write")
      after.expectStatus(200)
    })
  )

  it.live("the database knows the request while its transaction runs, and forgets it after", () =>
    Effect.gen(function* () {
      const { script, sql, test } = yield* rig(backend)
      const known = sql`select application_name as name, current_setting('app.request_id', true) as id
        from pg_stat_activity where pid = pg_backend_pid()`
      script.write = Effect.orDie(known)
      const id = "r".repeat(100)
      const reply = yield* test.post("/write", { headers: { "x-request-id": id } })
      const own = sql`select current_setting('application_name') as name, current_setting('app.request_id', true) as id`
      const name = Database.applicationName(id)
      expect(name).toHaveLength(55)
      if (backend.name === "PostgreSQL") reply.expectJson([{ id, name }])
      script.write = Effect.orDie(own)
      const settings = yield* test.post("/write", { headers: { "x-request-id": "short" } })
      settings.expectJson([{ id: "short", name: "flange|short" }])
      const [after] = yield* own
      // PGlite has no name of its own.
      expect(after?.["name"]).toBe(backend.name === "PGlite" ? "" : "flange")
      expect(after?.["id"] ?? "").toBe("")
    })
  )
})

onMySql((backend) => {
  it.live("the isolation level and the request id are those of the transaction", () =>
    Effect.gen(function* () {
      const { insert, script, sql, test } = yield* rig(backend, {
        endpoint: { isolation: "serializable" },
        maxConnections: 1
      })
      script.write = Effect.andThen(
        insert("x"),
        Effect.orDie(
          sql`select trx_isolation_level as level, @flange_request_id as id from information_schema.innodb_trx
              where trx_mysql_thread_id = connection_id()`
        )
      )
      const reply = yield* test.post("/write", { headers: { "x-request-id": "mine" } })
      reply.expectJson([{ id: "mine", level: "SERIALIZABLE" }])
      expect(yield* sql`select @flange_request_id as id`).toEqual([{ id: null }])
    })
  )
})

onServers((backend) => {
  it.live("of two requests in a deadlock both succeed in the end", () =>
    Effect.gen(function* () {
      const { all, insert, script, sql, table, test } = yield* rig(backend, {
        endpoint: { retries: 5 }
      })
      // Without it MySQL locks every row for an update of one.
      yield* sql`create unique index ${sql(`by_id_${crypto.randomUUID().slice(0, 8)}`)} on ${table} (id)`
      yield* insert("a", 1)
      yield* insert("b", 2)
      const both = yield* Deferred.make<void>()
      let calls = 0
      let touched = 0
      const touch = (id: number) =>
        Effect.orDie(sql`update ${table} set who = concat(who, '!') where id = ${id}`)
      script.write = Effect.suspend(() => {
        calls += 1
        const [first, second] = calls % 2 === 1 ? [1, 2] : [2, 1]
        return touch(first).pipe(
          Effect.andThen(
            Effect.suspend(() =>
              ++touched === 2 ? Deferred.succeed(both, undefined) : Deferred.await(both)
            )
          ),
          Effect.andThen(touch(second)),
          Effect.as("done")
        )
      })
      const replies = yield* Effect.all([test.post("/write"), test.post("/write")], {
        concurrency: 2
      })
      expect(replies.map(({ status }) => status)).toEqual([200, 200])
      expect(calls).toBeGreaterThan(2)
      expect(yield* all).toEqual(["a!!", "b!!"])
    })
  )
})
