/** The tables that a battery creates itself, in place of a migration. */
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"

/**
 * Creates tables unless `probe`, a query of them, succeeds. So a role that cannot create tables may find them
 * made. `statements` create only what does not exist. Replicas may call it at the same time.
 */
export const create = (
  sql: SqlClient,
  probe: Effect.Effect<unknown, SqlError>,
  statements: ReadonlyArray<string>
): Effect.Effect<void, SqlError> =>
  Effect.retry(
    Effect.catch(Effect.asVoid(probe), () =>
      Effect.forEach(statements, (text) => sql.unsafe(text).unprepared, { discard: true })
    ),
    {
      times: 5,
      // PostgreSQL refuses all but one that create a table at the same time: it names a row of its catalogue,
      // or says that the type of the table exists.
      while: ({ reason }) => reason._tag === "SqlSyntaxError" || reason._tag === "UniqueViolation"
    }
  )
