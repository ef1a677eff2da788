/** An app that hangs between the write and the enqueue, or before the commit. Run by Outbox.test.ts. */
import * as Effect from "effect/Effect"
import { App, Plugin } from "flange"
import { plugins } from "./orders.ts"

const phase = process.env["PHASE"]

const hangIn = (name: string) =>
  phase === name
    ? Effect.andThen(
        Effect.sync(() => console.log("written")),
        Effect.never
      )
    : Effect.void

const Probe = Plugin.make("app:probe", {
  ready: ({ address }) => Effect.sync(() => console.log(`listening ${address}`))
})

App.run(
  App.make("shop", [...plugins(hangIn("between"), hangIn("after")), Probe], {
    config: { values: { idempotency: { lease: "1 second" } } }
  })
)
