// How many statements the server holds prepared for one connection.
import * as Effect from "effect/Effect"
import { expect, it } from "vitest"
import { all, onEach, open } from "./backends.ts"

const most = 100

onEach(all, "A connection", (backend) => {
  it("keeps the statements that it used last, and closes the others on the server", () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const sql = yield* open(yield* backend.fresh, { maxConnections: 1 })
          const find = (length: number) =>
            sql`select 1 as one where 1 in ${sql.in(Array.from({ length }, (_, index) => index + 1))}`
          for (let length = 1; length <= 3 * most; length++) {
            expect(yield* find(length)).toEqual([{ one: 1 }])
          }
          if (backend.kind === "mysql") {
            // The counters of this session: other clients do not change them.
            const counters = sql<{ Value: string; Variable_name: string }>`show session status
              where variable_name in ('Com_stmt_prepare', 'Com_stmt_close')`.unprepared
            const counts = new Map(
              (yield* counters).map(({ Value, Variable_name }) => [Variable_name, Number(Value)])
            )
            const prepared = counts.get("Com_stmt_prepare")!
            expect(prepared).toBeGreaterThanOrEqual(3 * most)
            expect(prepared - counts.get("Com_stmt_close")!).toBe(most)
          } else {
            const held = yield* sql<{ count: bigint }>`select count(*) from pg_prepared_statements`
            expect(Number(held[0]!.count)).toBeLessThanOrEqual(most + 1)
          }
          // What was closed runs again, and what is kept too.
          expect(yield* find(1)).toEqual([{ one: 1 }])
          expect(yield* find(3 * most)).toEqual([{ one: 1 }])
        })
      )
    ))
})
