/** A worker process for Pause.test.ts. Its handlers are deaf to interruption, or wait, by its environment. */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { App, Plugin } from "flange"
import * as Database from "flange/Database"
import * as Queue from "flange/Queue"

const Jobs = Queue.make("jobs", {
  concurrency: 2,
  payload: Schema.Literals(["quick", "wait"]),
  retry: Schedule.spaced("1 millis")
})

const wait =
  process.env["DEAF"] === "1"
    ? Effect.uninterruptible(Effect.sleep("1 hour"))
    : Effect.sleep("1 hour")

App.run(
  App.make(
    "deaf",
    [
      Database.plugin,
      Queue.withDatabase,
      Plugin.make("app:work", {
        contributes: [
          Jobs.worker((what, { attempts, id }) =>
            Effect.sync(() => console.log(`begin ${id} ${attempts}`)).pipe(
              Effect.andThen(what === "wait" ? wait : Effect.void),
              Effect.onInterrupt(() =>
                Effect.sync(() => console.log(`interrupted ${id} ${attempts}`))
              )
            )
          )
        ],
        ready: ({ address }) => Effect.sync(() => console.log(`listening ${address}`)),
        requires: [Queue.Queues]
      })
    ],
    {
      config: {
        values: {
          app: { drainDelay: "0 millis", drainTimeout: "300 millis" },
          queue: { lease: "1 second", pollInterval: "20 millis" }
        }
      }
    }
  )
)
