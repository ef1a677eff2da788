import * as PgConnection from "@effect/sql-pg/PgConnection"
import { PGlite } from "@electric-sql/pglite"
import * as Effect from "effect/Effect"
import { expect, it } from "vitest"
import * as PgliteWire from "../../../../src/Layers/Database/Pglite/PgliteWire.ts"
import { onDescription } from "../../../../src/Layers/Database/Postgres/PgInternals.ts"

it("sql-pg reports the types of a statement before it reads its rows, also on a pinned session", () =>
  Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const database = yield* Effect.acquireRelease(
          Effect.promise(() => PGlite.create()),
          (open) => Effect.promise(() => open.close())
        )
        const session = yield* PgConnection.make({
          database: "postgres",
          stream: PgliteWire.make(database),
          username: "postgres"
        })
        const seen: Array<ReadonlyArray<number>> = []
        const pinned = yield* session.pin
        // The second one is the same session.
        for (const one of [pinned, session]) onDescription(one, (types) => seen.push(types))
        yield* pinned.query("select 1::int4 as a, 'x'::text as b")
        expect(seen).toEqual([[23, 25]])
      })
    )
  ))
