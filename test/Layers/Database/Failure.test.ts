/** What the log says of failed statements, and of rows that do not fit their schema. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import * as SqlSchema from "effect/sql/SqlSchema"
import * as Database from "flange/Database"
import * as Logging from "flange/Logging"
import { failure } from "../../Testing/failure.ts"
import { all, type Backend, onEach } from "./backends.ts"
import { rig } from "./drills/Rig.ts"

const secret = "parameter-7f3a"

/** Returns the reply to a handler that fails, and the log lines of it in one format. */
const failing = (backend: Backend, handler: Effect.Effect<unknown, unknown, SqlClient>) =>
  Effect.gen(function* () {
    const { script, test } = yield* rig({ url: yield* backend.fresh })
    script.write = Effect.orDie(handler)
    const reply = yield* test.post("/write")
    reply.expectProblem("INTERNAL_ERROR", 500)
    const entry = test.logs.find(({ cause }) => cause !== undefined)!
    const lines = (format: Logger.Logger<unknown, string>) => {
      const written: Array<string> = []
      const logger = Logger.map(format, (line) => void written.push(line))
      Effect.runSync(
        Effect.provide(Effect.logError(entry.message, entry.cause), Logger.layer([logger]))
      )
      return written.join("\n")
    }
    return {
      json: lines(Logging.json({ environment: "test", service: "shop", version: "1.0.0" })),
      message: failure(() => reply.expectStatus(200)).message,
      pretty: lines(Logging.pretty())
    }
  })

onEach(all, "A write in a GET", (backend) => {
  it.live("is refused with the option that allows it", () =>
    Effect.gen(function* () {
      const { script, sql, table, test } = yield* rig({ url: yield* backend.fresh })
      script.read = Effect.orDie(sql`insert into ${table} (id, who) values (1, 'a')`)
      const reply = yield* test.get("/read")
      reply.expectProblem("INTERNAL_ERROR", 500)
      expect(failure(() => reply.expectStatus(200)).message).toContain(
        "Make the endpoint a POST. If it has to be a GET, annotate it with Database.Transactional and { readOnly: false }."
      )
    })
  )
})

const times = (text: string, part: string) => text.split(part).length - 1

const use = <A, E>(query: (sql: SqlClient) => Effect.Effect<A, E>) =>
  Effect.flatMap(SqlClient, query)

onEach(all, "A failed statement", (backend) => {
  const statements: ReadonlyArray<
    readonly [string, (sql: SqlClient) => Effect.Effect<unknown, unknown>]
  > = [
    [
      "prepared",
      (sql) => sql`select 1 as nothing_${sql.literal("is")} from nowhere where a = ${secret}`
    ],
    [
      "unprepared",
      (sql) => sql`select 1 as nothing_is from nowhere where a = ${secret}`.unprepared
    ],
    ["as values", (sql) => sql`select 1 as nothing_is from nowhere where a = ${secret}`.values],
    ["raw", (sql) => sql`select 1 as nothing_is from nowhere where a = ${secret}`.raw]
  ]

  it.live.each(statements)("is logged once, without values, with one stack: %s", ([, query]) =>
    Effect.gen(function* () {
      const { json, message, pretty } = yield* failing(backend, use(query))
      for (const text of [json, message, pretty]) {
        expect(times(text, "nothing_is")).toBe(1)
        expect(text).not.toContain(secret)
      }
      const { error } = JSON.parse(json) as { readonly error: Record<string, any> }
      expect(error["statement"]).toMatch(/^select 1 as nothing_is from nowhere where a = [$?]/)
      expect(error["reason"]).toBeUndefined()
      expect(error["cause"].stack).not.toContain("    at ")
      expect(error["cause"].cause.stack).not.toContain("    at ")
      // The frames of one stack begin once.
      expect(pretty.match(/(?<!^ {6}at .*\n) {6}at /gm)?.length).toBe(1)
    })
  )

  it.live("is logged with its start if it is long", () =>
    Effect.gen(function* () {
      const { json } = yield* failing(
        backend,
        use((sql) => sql.unsafe(`select ${"1 + ".repeat(3000)} nothing from nowhere`))
      )
      const { error } = JSON.parse(json) as { readonly error: Record<string, string> }
      expect(error["statement"]).toHaveLength(4000 + "... (12027 characters)".length)
    })
  )
})

const row = <Fields extends Schema.Struct.Fields>(
  fields: Fields,
  query: (sql: SqlClient) => Effect.Effect<ReadonlyArray<unknown>, unknown>
) =>
  use((sql) =>
    SqlSchema.findAll({
      execute: () => query(sql) as Effect.Effect<ReadonlyArray<unknown>, never>,
      Request: Schema.Void,
      Result: Schema.Struct(fields) as unknown as Schema.Codec<object>
    })(undefined)
  )

onEach(all, "A row that does not fit its schema", (backend) => {
  const isMySql = backend.kind === "mysql"
  const decimal = isMySql ? "cast(1.5 as decimal(5, 2))" : "1.5::numeric"
  const time = isMySql
    ? "cast('2026-01-05 10:30:00' as datetime)"
    : "timestamptz '2026-01-05 10:30:00Z'"

  const surprises: ReadonlyArray<readonly [string, Schema.Struct.Fields, string, string]> = [
    [
      "count(*)",
      { total: Schema.Int },
      "select count(*) as total from (select 1 as a) as one",
      `"total" is a bigint in the row: count(*), sum() of integers and columns of that type are. Use Schema.BigInt, or cast it in SQL: count(*)::int on PostgreSQL.`
    ],
    [
      "a decimal",
      { price: Schema.Finite },
      `select ${decimal} as price`,
      `"price" is a string in the row: numeric and decimal have every digit. Use Schema.FiniteFromString or Schema.BigDecimalFromString, or cast it in SQL: price::float8 on PostgreSQL.`
    ],
    [
      "a timestamp",
      { at: Schema.String },
      `select ${time} as at`,
      `"at" is a Date in the row: timestamps are. Use Schema.Date, or cast it in SQL: created_at::text on PostgreSQL.`
    ],
    [
      "null",
      { name: Schema.String },
      "select null as name",
      `"name" is null in the row: use Schema.NullOr, or coalesce() in SQL.`
    ],
    [
      "a column in snake case",
      { createdAt: Schema.Int },
      "select 1 as created_at",
      `The row has no column "createdAt". Did you mean "created_at"? Name it in SQL: created_at as "createdAt".`
    ],
    [
      "a column that is not there",
      { weight: Schema.Int },
      "select 1 as a, 2 as b",
      `The row has no column "weight". Its columns are a, b.`
    ],
    ...(isMySql
      ? ([
          [
            "a boolean",
            { isOpen: Schema.Boolean },
            "select true as isOpen",
            `"isOpen" is a number in the row: boolean is 0 or 1 on MySQL. Use Schema.BooleanFromBit.`
          ]
        ] as const)
      : [])
  ]

  it.live.each(surprises)("is explained: %s", ([, fields, text, expected]) =>
    Effect.gen(function* () {
      const { json, message, pretty } = yield* failing(
        backend,
        row(fields, (sql) => sql.unsafe(text))
      )
      const { error } = JSON.parse(json) as { readonly error: Record<string, string> }
      expect(error["message"]).toContain(`\n  ${expected}`)
      expect(error).not.toHaveProperty("issue")
      expect(message).toContain(expected)
      expect(pretty).toContain(expected)
    })
  )

  it.live("of a table is explained by the name of its field", () =>
    Effect.gen(function* () {
      const Big = Schema.Struct({ createdBy: Schema.Int, id: Schema.Int })
      const { json } = yield* failing(
        backend,
        Effect.gen(function* () {
          const sql = yield* SqlClient
          yield* sql`create table bigs (id int primary key, created_by bigint)`
          yield* sql`insert into bigs values (1, 2)`
          const bigs = yield* Database.table("bigs", { key: "id", row: Big })
          return yield* bigs.find(1)
        })
      )
      expect(JSON.parse(json).error.message).toContain(`"createdBy" is a bigint in the row`)
    })
  )
})

describe("an error of a schema that no row explains", () => {
  it.live("has its own message", () =>
    Effect.gen(function* () {
      const decode = Schema.decodeUnknownEffect(Schema.Struct({ never: Schema.Int }))
      const { json } = yield* failing(
        all[0]!,
        use((sql) => Effect.andThen(sql`select 1 as one`, decode({ never: "text" })))
      )
      expect(JSON.parse(json).error.message).toBe('Expected number\n  at ["never"]')
    })
  )
})
