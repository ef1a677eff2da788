// A process with a job each second, which writes a row for each run. Run by Processes.test.ts.
import * as Effect from "effect/Effect"
import { SqlClient } from "effect/sql/SqlClient"
import { App, Plugin } from "flange"
import * as Database from "flange/Database"
import * as Jobs from "flange/Jobs"

const tick = Effect.gen(function* () {
  const sql = yield* SqlClient
  yield* sql`insert into ticks (owner, at) values (${process.pid}, clock_timestamp())`
})

const Ticker = Plugin.make("app:ticker", {
  contributes: [
    Jobs.Job.cron("tick", "* * * * * *", tick, {
      missed: "all",
      missedLimit: 1000,
      transaction: true
    })
  ],
  ready: ({ address }) => Effect.sync(() => console.log(`listening ${address}`)),
  requires: [SqlClient]
})

App.run(
  App.make("ticker", [Database.plugin, Jobs.withCluster, Ticker], {
    config: { values: { jobs: { keep: 10_000 } } }
  })
)
