// Tables that another process changes while the app runs, as a rolling migration does.
import { expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Database from "flange/Database"
import * as MySqlConnection from "../../../src/Layers/Database/MySql/MySqlConnection.ts"
import * as MySqlSession from "../../../src/Layers/Database/MySql/MySqlSession.ts"
import { onAll, onMySql, onPostgres } from "./drills/Backends.ts"
import { rig, type RigOptions } from "./drills/Rig.ts"

const connections = 4

/** An app whose connections have all prepared its two statements in a transaction. */
const warm = (backend: { readonly name: string; readonly url: string }, options: RigOptions = {}) =>
  Effect.gen(function* () {
    const app = yield* rig(backend, { endpoint: true, maxConnections: connections, ...options })
    const { insert, script, sql, table, test } = app
    yield* insert("ada")
    let runs = 0
    const handler = Effect.suspend(() => {
      runs++
      return Effect.orDie(
        Effect.all([sql`select * from ${table}`, sql`select * from ${table} where id = ${0}`])
      )
    })
    const all = backend.name === "PGlite" ? 1 : connections
    const complete = yield* Deferred.make<void>()
    let waiting = 0
    script.write = Effect.tap(handler, () =>
      ++waiting === all ? Deferred.succeed(complete, undefined) : Deferred.await(complete)
    )
    const burst = Effect.forEach(Array.from({ length: all }), () => test.post("/write"), {
      concurrency: "unbounded"
    })
    for (const reply of yield* burst) reply.expectStatus(200)
    script.write = handler
    runs = 0
    return {
      ...app,
      addColumn: sql`alter table ${table} add column extra integer`,
      runs: () => runs
    }
  })

onAll((backend) => {
  it.live("a new column is no failure of a request, and repeats its handler at most once", () =>
    Effect.gen(function* () {
      const { addColumn, runs, test } = yield* warm(backend)
      yield* addColumn
      const first = yield* test.post("/write")
      const row = { extra: null, id: 0, who: "ada" }
      first.expectStatus(200).expectJson([[row], [row]])
      expect(runs()).toBe(backend.name === "MySQL" ? 1 : 2)
      const before = runs()
      const others = yield* Effect.forEach(
        Array.from({ length: 3 * connections }),
        () => test.post("/write"),
        { concurrency: connections }
      )
      for (const reply of others) reply.expectStatus(200).expectJson([[row], [row]])
      // What the first request met has renewed the statements of all connections.
      expect(runs()).toBe(before + others.length)
    })
  )

  it.live("a new column is no failure of requests that all meet it at once", () =>
    Effect.gen(function* () {
      const { addColumn, test } = yield* warm(backend)
      yield* addColumn
      const replies = yield* Effect.forEach(
        Array.from({ length: 3 * connections }),
        () => test.post("/write"),
        { concurrency: "unbounded" }
      )
      for (const reply of replies) reply.expectStatus(200)
    })
  )

  it.live("a new column is no failure of a statement outside a transaction", () =>
    Effect.gen(function* () {
      const { addColumn, sql, table } = yield* warm(backend)
      yield* addColumn
      const rows = yield* Effect.forEach(
        Array.from({ length: connections }),
        () => sql`select * from ${table}`,
        { concurrency: "unbounded" }
      )
      expect(rows.flat()).toHaveLength(connections)
    })
  )
})

onPostgres((backend) => {
  it.live("a transaction of the client fails once, with a reason that may be retried", () =>
    Effect.gen(function* () {
      const { addColumn, sql, table } = yield* warm(backend)
      yield* addColumn
      const read = sql.withTransaction(sql`select * from ${table}`)
      const error = yield* Effect.flip(read)
      expect(error.reason._tag).toBe("SerializationError")
      expect(error.reason.isRetryable).toBe(true)
      expect(error.message).toContain("cached plan must not change result type")
      yield* Effect.forEach(Array.from({ length: 2 * connections }), () => read, {
        concurrency: "unbounded"
      })
    })
  )

  for (const retries of [0, 2]) {
    it.live(
      `a handler that meets a change in each run is run once more than retries: ${retries}`,
      () =>
        Effect.gen(function* () {
          const { script, sql, table, test } = yield* rig(backend, { endpoint: { retries } })
          const schema = sql(`other_${crypto.randomUUID().replaceAll("-", "")}`)
          yield* sql`create schema ${schema}`
          yield* Effect.addFinalizer(() => Effect.ignore(sql`drop schema ${schema} cascade`))
          yield* sql`create table ${schema}.${table} (id bigint)`
          let runs = 0
          script.write = Effect.orDie(
            Effect.gen(function* () {
              runs++
              yield* sql`select * from ${table}`
              yield* sql`set local search_path = ${schema}`
              return yield* sql`select * from ${table}`
            })
          )
          const reply = yield* test.post("/write")
          reply.expectStatus(500)
          expect(runs).toBe(2 + retries)
        })
    )
  }

  it.live("another unsupported feature is no change of a table", () =>
    Effect.gen(function* () {
      const { script, sql, table, test } = yield* rig(backend)
      let runs = 0
      script.write = Effect.suspend(() => {
        runs++
        return Effect.orDie(sql`select count(*) from ${table} for update`)
      })
      const reply = yield* test.post("/write")
      reply.expectStatus(500)
      expect(runs).toBe(1)
    })
  )
})

onMySql((backend) => {
  it.live("a table that was rebuilt after the snapshot repeats the handler", () =>
    Effect.gen(function* () {
      const { insert, script, sql, table, test } = yield* rig(backend)
      const other = sql(`tx_${crypto.randomUUID().replaceAll("-", "")}`)
      yield* sql`create table ${other} (id integer)`
      yield* Effect.addFinalizer(() => Effect.ignore(sql`drop table ${other}`))
      yield* insert("ada")
      let runs = 0
      script.write = Effect.orDie(
        Effect.gen(function* () {
          yield* sql`select * from ${other}`
          if (runs++ === 0) {
            const rebuild = sql`alter table ${table} add column extra integer, algorithm = copy`
            yield* Database.outsideTransaction(rebuild)
          }
          return yield* sql`select * from ${table}`
        })
      )
      const reply = yield* test.post("/write")
      reply.expectStatus(200).expectJson([{ extra: null, id: 0, who: "ada" }])
      expect(runs).toBe(2)
    })
  )

  it.live("a statement that the server has forgotten is prepared again", () =>
    Effect.gen(function* () {
      const { hostname, port, username } = new URL(backend.url)
      const options = { host: hostname, port: Number(port), user: username }
      const session = yield* MySqlSession.make(options, undefined, 0)
      const read = (transaction: boolean) =>
        MySqlConnection.make(session, transaction).execute("select 1 as one", [], undefined)
      // What a proxy does that changes the connection behind it.
      const forget = Effect.promise(
        () =>
          new Promise<void>((resolve) => {
            const statement = { rowsAsArray: false, sql: "select 1 as one" }
            session.raw.prepare(statement as unknown as string, (_, prepared) => {
              prepared.close()
              resolve()
            })
          })
      )
      yield* read(false)
      yield* forget
      expect(yield* read(false)).toEqual([{ one: 1 }])
      yield* forget
      const error = yield* Effect.flip(read(true))
      expect(error.reason._tag).toBe("SerializationError")
      expect(yield* Effect.exit(read(true))).toEqual(Exit.succeed([{ one: 1 }]))
    })
  )
})
