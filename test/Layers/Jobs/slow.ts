// A process with a job each second whose runs take SLOW milliseconds, without a transaction. A row in `works`
// says when a run began, which attempt it is and whether it ended. CLOCK_AHEAD milliseconds are added to the
// clock. Run by Drill.test.ts.
import * as Effect from "effect/Effect"
import { SqlClient } from "effect/sql/SqlClient"
import { App, Plugin } from "flange"
import * as Database from "flange/Database"
import * as Jobs from "flange/Jobs"

const ahead = Number(process.env["CLOCK_AHEAD"] ?? 0)
if (ahead !== 0) {
  const real = Date.now.bind(Date)
  Date.now = () => real() + ahead
}

const overlap = (process.env["OVERLAP"] ?? "skip") as "cancel" | "queue" | "skip"

const work = Effect.gen(function* () {
  const sql = yield* SqlClient
  const [row] = yield* sql<{ id: number }>`insert into works (owner, overlap, began) values
    (${process.pid}, ${overlap}, clock_timestamp()) returning id`
  yield* Effect.sleep(Number(process.env["SLOW"] ?? 0))
  yield* sql`update works set ended = clock_timestamp() where id = ${row!.id}`
})

const Slow = Plugin.make("app:slow", {
  contributes: [Jobs.Job.every("slow", "1 second", work, { overlap })],
  ready: ({ address }) => Effect.sync(() => console.log(`listening ${address}`)),
  requires: [SqlClient]
})

App.run(
  App.make(process.env["APP"] ?? "slow", [Database.plugin, Jobs.withCluster, Slow], {
    config: { values: { app: { drainTimeout: "500 millis" } } }
  })
)
