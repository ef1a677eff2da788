/** An app that hangs before or after the commit of a payment. Run by Killed.test.ts. */
import * as Effect from "effect/Effect"
import { App, Middleware, Plugin } from "flange"
import { plugins, type Script } from "./payments.ts"

const phase = process.env["PHASE"]

const hang = Effect.andThen(
  Effect.sync(() => console.log("written")),
  Effect.never
)

const script: Script = { written: () => (phase === "before" ? hang : Effect.void) }

const Probe = Plugin.make("app:probe", {
  middleware: [
    Middleware.make("after-the-commit", {
      build: Effect.succeed(
        () => (next) => (phase === "after" ? Effect.flatMap(next, () => hang) : next)
      ),
      slot: "Custom"
    })
  ],
  ready: ({ address }) => Effect.sync(() => console.log(`listening ${address}`))
})

App.run(
  App.make("shop", [...plugins(script), Probe], {
    config: { values: { idempotency: { lease: "1 second" } } }
  })
)
