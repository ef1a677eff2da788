// A handler that computes, in as many workers as the runner wants.
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { App, Plugin, Route } from "flange"
import { Ready, server } from "./effect/FlangeHost.ts"
import { steps, work } from "./support/Work.ts"

class WorkApi extends HttpApiGroup.make("work").add(
  HttpApiEndpoint.get("work", "/work", { success: Schema.Struct({ result: Schema.Finite }) })
) {}

const Work = Plugin.make("bench:work", {
  routes: [
    Route.public(WorkApi, (handlers) =>
      handlers.handleAll({ work: () => Effect.sync(() => ({ result: work(steps) })) })
    )
  ]
})

const workers = Number(process.env["BENCH_WORKERS"])

App.run(
  App.make("bench", [Work, Ready], {
    config: { environment: "production", values: { server: { ...server, workers } } }
  })
)
