/** An app as a process of its own, which counts in the memory of the process or in Redis. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { App, ClientIp, Middleware, Plugin, Preset, Route } from "flange"
import { RatePolicy } from "flange/Contract"
import * as Metrics from "flange/Metrics"
import * as RateLimit from "flange/RateLimit"
import * as Redis from "flange/Redis"
import { sentTo } from "../../../src/Server/Exchange/OwnOrigin.ts"

const success = Schema.String
const window = "366 days"

class ProbeApi extends HttpApiGroup.make("probe").add(
  HttpApiEndpoint.get("bucket", "/bucket", { success }).annotate(RatePolicy, {
    limit: 100,
    window
  }),
  HttpApiEndpoint.get("early", "/early", { success }).annotate(RatePolicy, {
    by: "address",
    limit: 10,
    window
  }),
  HttpApiEndpoint.get("sliding", "/sliding", { success }).annotate(RatePolicy, {
    algorithm: "sliding-window",
    limit: 100,
    window
  }),
  HttpApiEndpoint.get("wide", "/wide", { success }).annotate(RatePolicy, {
    limit: 1_000_000,
    window
  })
) {}

const address = () => Effect.map(ClientIp.current, (ip) => ip ?? "unknown")

const Probe = Plugin.make("test:probe", {
  middleware: [
    Middleware.before("scheme", {
      build: Effect.succeed(() => (request) => {
        request.setHeader("x-seen-scheme", sentTo(request).proto ?? "unknown")
        return Middleware.pass
      }),
      slot: "Custom"
    })
  ],
  ready: ({ address }) => Effect.sync(() => process.stdout.write(`listening ${address}\n`)),
  routes: [
    Route.public(ProbeApi, (handlers) =>
      handlers.handleAll({ bucket: address, early: address, sliding: address, wide: address })
    )
  ]
})

const config = { environment: "production", values: {}, variables: process.env }
const plugins = [...Preset.api, Metrics.plugin, Probe] as const

if (process.env["REDIS_URL"] === undefined) {
  App.run(App.make("shop", [...plugins, RateLimit.plugin], { config }))
} else {
  App.run(App.make("shop", [...plugins, Redis.plugin, RateLimit.withRedis], { config }))
}
