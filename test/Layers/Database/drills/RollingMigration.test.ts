import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { onAll } from "./Backends.ts"
import { start } from "./Load.ts"
import { rig } from "./Rig.ts"

onAll((backend) => {
  it.live(
    "columns that are added under load are no failure of a request",
    () =>
      Effect.gen(function* () {
        const { all, script, sql, table, test } = yield* rig(backend, {
          endpoint: true,
          listening: true,
          maxConnections: 4
        })
        script.write = Effect.orDie(
          Effect.andThen(
            sql`insert into ${table} (id, who) values (0, 'a')`,
            sql`select * from ${table} where id = 0 limit 1`
          )
        )
        const load = yield* start(test, 8)
        yield* load.until(40, () => true)
        for (const column of ["one", "two", "three"]) {
          yield* sql`alter table ${table} add column ${sql(column)} integer`
          yield* load.until(40, () => true)
        }
        yield* load.stop
        expect(load.replies.filter(({ status }) => status !== 200)).toEqual([])
        // A handler that ran again has left nothing of its first run.
        expect(yield* all).toHaveLength(load.replies.length)
      }),
    120_000
  )
})
