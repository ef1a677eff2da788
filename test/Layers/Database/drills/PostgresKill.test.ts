import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Cluster from "./Cluster.ts"
import { ask, isClean, start } from "./Load.ts"
import { rig } from "./Rig.ts"

const { obstacle } = Cluster
if (obstacle !== undefined) {
  if (process.env["CI_SERVICES"] === "required") throw new Error(obstacle)
  console.warn(`Killing PostgreSQL is skipped: ${obstacle}`)
}

const served = ({ status }: { readonly status: number }) => status === 200
const refused = ({ status }: { readonly status: number }) => status === 503

describe.skipIf(obstacle !== undefined)(
  `PostgreSQL of the test's own${obstacle === undefined ? "" : `: ${obstacle}`}`,
  () => {
    it.live("killed under load three times: only 503s, and full recovery without a restart", () =>
      Effect.gen(function* () {
        const cluster = yield* Effect.acquireRelease(
          Effect.promise(() => Cluster.make()),
          ({ remove }) => Effect.promise(remove)
        )
        const { all, insert, script, test } = yield* rig(cluster, {
          acquireTimeout: "1 second",
          endpoint: true,
          listening: true,
          maxConnections: 4
        })
        script.write = insert("a").pipe(Effect.andThen(insert("b")), Effect.as("done"))
        const load = yield* start(test, 16)
        for (let time = 0; time < 3; time++) {
          yield* load.until(100, served)
          yield* Effect.promise(cluster.kill)
          yield* load.until(32, refused)
          yield* Effect.promise(cluster.start)
          yield* load.until(200, served)
        }
        yield* load.stop
        expect(load.replies.filter((reply) => !isClean(reply))).toEqual([])
        const after = yield* Effect.forEach(Array.from({ length: 50 }), () => ask(test), {
          concurrency: 50
        })
        expect(after.filter(served)).toHaveLength(50)
        const who = yield* all
        expect(who.filter((each) => each === "a")).toHaveLength(who.length / 2)
        // What was answered with 200 is there, also after a crash.
        expect(who.length / 2).toBeGreaterThanOrEqual(load.replies.filter(served).length + 50)
      })
    )
  }
)
