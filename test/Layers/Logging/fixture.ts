// A process that logs at every stage of its life. Run by process.ts.
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Layer from "effect/Layer"
import { App, Plugin, Preset, Route } from "flange"

class NoisyApi extends HttpApiGroup.make("noisy").add(
  HttpApiEndpoint.get("fail", "/fail"),
  HttpApiEndpoint.get("throw", "/throw")
) {}

const Noisy = Plugin.make("app:noisy", {
  layer: Layer.effectDiscard(
    Effect.gen(function* () {
      yield* Effect.logInfo("acquired")
      yield* Effect.addFinalizer(() => Effect.die(new Error("cannot be released")))
    })
  ),
  routes: [
    Route.public(NoisyApi, (handlers) =>
      handlers.handleAll({
        fail: () => Effect.die(new Error("outer\nline", { cause: new Error("inner") })),
        throw: () =>
          Effect.sync(() => {
            setImmediate(() => {
              throw new Error("uncaught one")
            })
          })
      })
    )
  ]
})

App.run(
  App.make("noisy", [Noisy, ...(process.env["PLUGINS"] === "none" ? [] : Preset.minimal)], {
    config: { values: { unread: { key: 1 } } }
  })
)
