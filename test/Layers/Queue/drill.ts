/** A worker process for Drill.test.ts: each item is written to a table when it begins and when it ends. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import { App, Plugin } from "flange"
import * as Database from "flange/Database"
import * as Queue from "flange/Queue"

const Jobs = Queue.make("drill", {
  concurrency: 10,
  maxAttempts: 100,
  payload: Schema.Struct({ millis: Schema.Int })
})

const name = process.env["WORKER"]!

const Work = Plugin.make("app:work", {
  contributes: [
    Jobs.worker(({ millis }, { id }) =>
      Effect.gen(function* () {
        const sql = yield* SqlClient
        yield* sql`insert into runs (id, worker, ended) values (${id}, ${name}, false)`
        yield* Effect.sleep(millis)
        yield* sql`update runs set ended = true where id = ${id} and worker = ${name}`
        if (millis > 1000) console.log("late end")
      })
    )
  ],
  ready: ({ address }) => Effect.sync(() => console.log(`listening ${address}`)),
  requires: [Queue.Queues, SqlClient]
})

App.run(
  App.make("drill", [Database.plugin, Queue.withDatabase, Work], {
    config: {
      values: {
        app: { drainDelay: "0 millis", drainTimeout: "500 millis" },
        queue: { lease: process.env["LEASE"] ?? "2 seconds" }
      }
    }
  })
)
