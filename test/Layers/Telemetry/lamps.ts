/** An app with traces, logs and metrics of its own. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Metric from "effect/Metric"
import * as Schema from "effect/Schema"
import { ApiError, App, Plugin, Preset, Route } from "flange"
import * as Metrics from "flange/Metrics"

class NoLamp extends ApiError.make<NoLamp>()("NoLamp", {
  code: "NO_LAMP",
  detail: "There is no lamp",
  status: 404
}) {}

class LampsApi extends HttpApiGroup.make("lamps").add(
  HttpApiEndpoint.get("read", "/lamps/:id", {
    error: NoLamp,
    params: { id: Schema.String },
    success: Schema.String
  })
) {}

const reads = Metric.counter("lamps.read", {
  attributes: { unit: "{lamp}" },
  description: "Lamps that were read"
})

const Lamps = Plugin.make("test:lamps", {
  routes: [
    Route.public(LampsApi, (handlers) =>
      handlers.handleAll({
        read: Effect.fnUntraced(function* ({ params: { id } }) {
          if (id === "none") return yield* new NoLamp()
          if (id === "broken") return yield* Effect.die(new Error("broken", { cause: "a fuse" }))
          yield* Metric.update(reads, 1)
          yield* Effect.logInfo("read").pipe(Effect.annotateLogs({ lamp: id }))
          return yield* Effect.succeed(id).pipe(
            Effect.withSpan("look up", { attributes: { big: 2n ** 60n, lamp: id, tags: ["a", 1] } })
          )
        })
      })
    )
  ]
})

/** The app. */
export const app = App.make("lamps", [...Preset.api, Metrics.plugin, Lamps])

/** The variables that export everything to a collector. */
export const variables = (
  { url }: { readonly url: string },
  more: Readonly<Record<string, string>> = {}
) => ({
  OTEL_BLRP_SCHEDULE_DELAY: "1",
  OTEL_BSP_SCHEDULE_DELAY: "1",
  OTEL_EXPORTER_OTLP_ENDPOINT: url,
  OTEL_TRACES_SAMPLER_ARG: "1",
  ...more
})
