// An app with an admin port, which Process.test.ts runs as a process.
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { App, Plugin, Route } from "flange"
import * as Admin from "flange/Admin"

const say = (line: string) => Effect.sync(() => void process.stdout.write(`${line}\n`))

const WaitApi = HttpApiGroup.make("wait").add(
  HttpApiEndpoint.get("wait", "/wait", { success: Schema.String })
)

/** The end of the request `/wait`, which the test sends a signal for. */
const released = Effect.callback<string>((resume) => {
  process.once("SIGUSR2", () => resume(Effect.succeed("done")))
})

const WaitPlugin = Plugin.make("test:wait", {
  layer: Layer.effectDiscard(
    Effect.andThen(
      say("acquired"),
      Effect.addFinalizer(() => say("released"))
    )
  ),
  ready: () => (process.argv[2] === "fail" ? Effect.fail(new Error("not ready")) : Effect.void),
  routes: [
    Route.public(WaitApi, (handlers) =>
      handlers.handleAll({ wait: () => Effect.andThen(say("waiting"), released) })
    )
  ]
})

App.run(App.make("process", [Admin.plugin, WaitPlugin]))
