/** The spans of statements and transactions. */
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as SqlClient from "effect/sql/SqlClient"
import * as Statement from "effect/sql/Statement"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import { expect, it } from "vitest"
import * as Transaction from "../../../../src/Layers/Database/Transaction/Transaction.ts"
import { attributesOf, failureOf, kept, parentOf } from "../../../tracing.ts"
import { all, type Backend, onEach, open } from "../backends.ts"

/** Runs statements in a span, and returns all spans in the order in which they began. */
const traced = (
  backend: Backend,
  use: (sql: SqlClient.SqlClient) => Effect.Effect<unknown, unknown>,
  sampled = true
) =>
  Effect.gen(function* () {
    const sql = yield* open(yield* backend.fresh, { maxConnections: 1 })
    yield* sql`create table items (id int primary key, name varchar(20))`
    const tracing = kept()
    yield* Effect.exit(use(sql)).pipe(
      Effect.withSpan("root", { sampled }),
      Effect.provideService(Tracer.Tracer, tracing.tracer)
    )
    return tracing
  }).pipe(Effect.scoped, Effect.runPromise)

const systemOf = ({ kind }: Backend) => (kind === "mysql" ? "mysql" : "postgresql")

onEach(all, "The span of a statement", (backend) => {
  const placeholder = backend.kind === "mysql" ? "?" : "$1"

  it("has the name and the attributes of the conventions", async () => {
    const { named, spans } = await traced(
      backend,
      (sql) => sql`select id, 'secret' as a from items where id = ${7}`
    )
    const span = named("SELECT items")
    const { "db.client.connection.wait_time_ms": wait, ...attributes } = attributesOf(span)
    expect(wait).toBeTypeOf("number")
    expect(attributes).toEqual({
      "db.collection.name": "items",
      "db.namespace": expect.any(String),
      "db.operation.name": "SELECT",
      "db.query.summary": "SELECT items",
      "db.query.text": `select id, ? as a from items where id = ${placeholder}`,
      "db.response.returned_rows": 0,
      "db.system.name": systemOf(backend),
      ...(backend.kind === "pglite"
        ? {}
        : { "server.address": "127.0.0.1", "server.port": expect.any(Number) })
    })
    expect([span.kind, parentOf(span), span.ends]).toEqual(["client", named("root").spanId, 1])
    expect(spans).toHaveLength(2)
  })

  it("has the number of rows, however the statement is run", async () => {
    const { spans } = await traced(backend, (sql) =>
      Effect.gen(function* () {
        yield* sql`insert into items ${sql.insert([
          { id: 1, name: "a" },
          { id: 2, name: "b" }
        ])}`
        const statement = sql`select * from items`
        yield* statement
        yield* statement.unprepared
        yield* statement.values
        yield* statement.raw
        yield* Stream.runDrain(statement.stream)
      })
    )
    expect(spans.map(({ name }) => name)).toEqual([
      "root",
      "INSERT items",
      ...Array.from({ length: 5 }, () => "SELECT items")
    ])
    const rows = spans.slice(2).map(({ attributes }) => attributes.get("db.response.returned_rows"))
    expect(rows).toEqual([2, 2, 2, 2, 2])
    expect(spans.every(({ ends }) => ends === 1)).toBe(true)
  })

  it("of a statement that fails has the code of the database", async () => {
    const { named } = await traced(backend, (sql) => sql`select nothing from items`)
    const span = named("SELECT items")
    expect(failureOf(span)).toBeDefined()
    const attributes = attributesOf(span)
    expect([attributes["error.type"], attributes["db.response.status_code"]]).toEqual(
      backend.kind === "mysql" ? ["42S22", "1054"] : ["42703", "42703"]
    )
    const stream = await traced(backend, (sql) =>
      Stream.runDrain(sql`select nothing from items`.stream)
    )
    expect(stream.named("SELECT items").attributes.get("error.type")).toBe(attributes["error.type"])
    expect(stream.named("SELECT items").ends).toBe(1)
  })

  it("is there only inside a span that is sampled", async () => {
    const { spans } = await traced(backend, (sql) => sql`select * from items`, false)
    expect(spans.map(({ name }) => name)).toEqual(["root"])
    const outside = await Effect.gen(function* () {
      const sql = yield* open(yield* backend.fresh)
      const tracing = kept()
      yield* Effect.provideService(sql`select 1`, Tracer.Tracer, tracing.tracer)
      return tracing.spans
    }).pipe(Effect.scoped, Effect.runPromise)
    expect(outside).toEqual([])
  })

  it("has the text that a transformer returns, and the statement runs so", async () => {
    const { spans } = await traced(backend, (sql) => {
      const statement = sql`select * from items`
      return Effect.all([statement, statement.values, Stream.runDrain(statement.stream)]).pipe(
        Effect.provideService(Statement.CurrentTransformer, (_statement, sql, _fiber, span) => {
          span.attribute("test.transformed", true)
          return Effect.succeed(sql`select id from items`)
        })
      )
    })
    const seen = spans
      .slice(1)
      .map(({ attributes }) => [
        attributes.get("db.query.text"),
        attributes.get("test.transformed"),
        attributes.has("db.client.connection.wait_time_ms")
      ])
    expect(seen).toEqual(Array.from({ length: 3 }, () => ["select id from items", true, true]))
  })

  it("has the wait for a connection", async () => {
    const door = Deferred.makeUnsafe<void>()
    const { named } = await traced(backend, (sql) =>
      Effect.gen(function* () {
        const began = yield* Deferred.make<void>()
        const holder = yield* Effect.forkChild(
          sql.withTransaction(
            Effect.andThen(Deferred.succeed(began, undefined), Deferred.await(door))
          )
        )
        yield* Deferred.await(began)
        const waiter = yield* Effect.forkChild(sql`select * from items`)
        yield* Effect.sleep(Duration.millis(20))
        yield* Deferred.succeed(door, undefined)
        yield* Fiber.joinAll([holder, waiter])
      })
    )
    const wait = named("SELECT items").attributes.get("db.client.connection.wait_time_ms")
    // The clock of a timer and that of the span may differ a little.
    expect(wait).toBeGreaterThan(15)
  })
})

onEach(all, "The spans of a transaction", (backend) => {
  const family = ({ spans }: Awaited<ReturnType<typeof traced>>) =>
    spans.map((span) => [
      span.name,
      spans.find(({ spanId }) => spanId === parentOf(span))?.name,
      span.ends
    ])

  it("are those of its statements and of its end", async () => {
    const tracing = await traced(backend, (sql) =>
      sql.withTransaction(sql`insert into items (id) values (1)`)
    )
    expect(family(tracing)).toEqual([
      ["root", undefined, 1],
      ["sql.transaction", "root", 1],
      ["INSERT items", "sql.transaction", 1],
      ["COMMIT", "sql.transaction", 1]
    ])
    const attributes = attributesOf(tracing.named("COMMIT"))
    expect([attributes["db.system.name"], attributes["db.query.text"]]).toEqual([
      systemOf(backend),
      "COMMIT"
    ])
  })

  it("that rolls back end with the rollback", async () => {
    const tracing = await traced(backend, (sql) =>
      sql.withTransaction(Effect.andThen(sql`insert into items (id) values (1)`, Effect.fail("no")))
    )
    expect(family(tracing).at(-1)).toEqual(["ROLLBACK", "sql.transaction", 1])
    expect(failureOf(tracing.named("ROLLBACK"))).toBeUndefined()
  })

  it("of a route are the same, and its first statement has the wait", async () => {
    const tracing = await traced(backend, (sql) =>
      Transaction.make(sql, {
        acquireTimeout: Duration.seconds(30),
        isolation: undefined,
        readOnly: false,
        retries: 0,
        statementTimeout: Duration.infinity
      })(Effect.andThen(sql`insert into items (id) values (1)`, sql`select * from items`))
    )
    expect(family(tracing)).toEqual([
      ["root", undefined, 1],
      ["sql.transaction", "root", 1],
      ["INSERT items", "sql.transaction", 1],
      ["SELECT items", "sql.transaction", 1],
      ["COMMIT", "sql.transaction", 1]
    ])
    expect(
      tracing.named("INSERT items").attributes.get("db.client.connection.wait_time_ms")
    ).toBeGreaterThan(0)
  })

  it("of a route without a statement have no begin and no end", async () => {
    const tracing = await traced(backend, (sql) =>
      Transaction.make(sql, {
        acquireTimeout: Duration.seconds(30),
        isolation: undefined,
        readOnly: false,
        retries: 0,
        statementTimeout: Duration.infinity
      })(Effect.void)
    )
    expect(family(tracing).map(([name]) => name)).toEqual(["root", "sql.transaction"])
  })
})
