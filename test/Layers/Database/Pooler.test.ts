// A double of a session behind a pooler in transaction mode: the next query is on another connection.
import type { PgConnection } from "@effect/sql-pg/PgConnection"
import * as Effect from "effect/Effect"
import { expect, it } from "vitest"
import { PgParameters } from "../../../src/Layers/Database/Postgres/PgParameters.ts"

it("an empty list whose type cannot be read fails, and is not taken for an array", async () => {
  const queries: Array<string> = []
  const session = {
    query: (sql: string) => Effect.sync(() => (queries.push(sql), { rows: [] }))
  } as unknown as PgConnection // `prepare` only queries.
  const error = await Effect.runPromise(
    Effect.flip(new PgParameters().prepare(session, "insert into t (d) values ($1)", [[]]))
  )
  expect(error.message).toContain("Run the statement in a transaction")
  expect(queries[0]).toContain("prepare flange_parameters_0 (unknown) as insert into t")
})
