import * as PgConnection from "@effect/sql-pg/PgConnection"
import { PGlite } from "@electric-sql/pglite"
import * as Effect from "effect/Effect"
import { expect, it } from "vitest"
import * as PgliteWire from "../../../../src/Layers/Database/Pglite/PgliteWire.ts"
import { lineOf, onDescription } from "../../../../src/Layers/Database/Postgres/PgInternals.ts"

/** A session with a database of its own. */
const makeSession = Effect.gen(function* () {
  const database = yield* Effect.acquireRelease(
    Effect.promise(() => PGlite.create()),
    (open) => Effect.promise(() => open.close())
  )
  return yield* PgConnection.make({
    database: "postgres",
    stream: PgliteWire.make(database),
    username: "postgres"
  })
})

it("sql-pg reports the types of a statement before it reads its rows, also on a pinned session", () =>
  Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const session = yield* makeSession
        const seen: Array<ReadonlyArray<number>> = []
        const pinned = yield* session.pin
        // The second one is the same session.
        for (const one of [pinned, session]) onDescription(one, (types) => seen.push(types))
        yield* pinned.query("select 1::int4 as a, 'x'::text as b")
        expect(seen).toEqual([[23, 25]])
      })
    )
  ))

it("sql-pg sends a statement in one write, and reads its answers message by message", () =>
  Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const session = yield* makeSession
        const line = lineOf(session)
        let writes = 0
        line.onWrite = (bytes) => {
          writes++
          return bytes
        }
        const seen: Array<string> = []
        line.onMessage = ({ _tag }) => {
          // PGlite reports its settings again.
          if (_tag !== "ParameterStatus") seen.push(_tag)
          return true
        }
        const pinned = yield* session.pin
        expect(lineOf(pinned)).toBe(line)
        yield* pinned.query("select 1 as a")
        expect(writes).toBe(1)
        expect(seen).toEqual([
          "ParseComplete",
          "BindComplete",
          "RowDescription",
          "DataRow",
          "CommandComplete",
          "ReadyForQuery"
        ])
        line.destroy(new Error("closed by the test"))
        const error = yield* Effect.flip(pinned.query("select 1 as a"))
        expect(error.reason._tag).toBe("ConnectionError")
      })
    )
  ))
