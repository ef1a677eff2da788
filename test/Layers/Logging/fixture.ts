// A process that logs at every stage of its life. Run by process.ts.
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Layer from "effect/Layer"
import { App, Plugin, Preset, Route } from "flange"

class NoisyApi extends HttpApiGroup.make("noisy").add(
  HttpApiEndpoint.get("exit", "/exit"),
  HttpApiEndpoint.get("fail", "/fail"),
  HttpApiEndpoint.get("flood", "/flood"),
  HttpApiEndpoint.get("secure", "/secure"),
  HttpApiEndpoint.get("throw", "/throw")
) {}

const flood = Array.from({ length: 2000 }, (_, i) => `${i} ${"x".repeat(1000)}`)

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
        exit: () =>
          Effect.andThen(
            Effect.logInfo("the last line"),
            Effect.sync(() => process.exit(3))
          ),
        fail: () => Effect.die(new Error("outer\nline", { cause: new Error("inner") })),
        // Two megabytes of lines.
        flood: () => Effect.forEach(flood, (i) => Effect.logInfo(`flood ${i}`), { discard: true }),
        secure: () => Effect.annotateLogs(Effect.logWarning("watched"), "tag", "security"),
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
