/** The battery as a plugin. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ConfigError } from "../../Config/index.ts"
import { AppRuntime } from "../../Plugin/AppRuntime.ts"
import * as Plugin from "../../Plugin/Plugin.ts"
import * as Middleware from "../../Server/Route/Middleware.ts"
import * as Answers from "./Answers.ts"
import { CorsConfig } from "./CorsConfig.ts"

/** What is meant for a laptop must not reach production unseen. */
const refuseOpenProduction = Layer.effectDiscard(
  Effect.gen(function* () {
    const { openInProduction, origins } = yield* CorsConfig
    const { environment } = yield* AppRuntime
    if (environment !== "production" || openInProduction || !origins.includes("*")) return
    return yield* new ConfigError({
      problems: [
        {
          expected: "a list of origins",
          key: "cors.origins",
          message:
            '"*" lets the pages of every site call this service in production: list the origins, or set cors.openInProduction = true if that is meant.',
          nearest: undefined,
          received: '["*"]',
          source: "environment production"
        }
      ]
    })
  })
)

const headers = Middleware.headers("cors", {
  build: Effect.map(CorsConfig, (config) => {
    const constant = Answers.constant(config)
    return () => constant
  })
})

const origins = Middleware.before("cors-origins", {
  build: Effect.map(CorsConfig, (config) => {
    const byRequest = config.origins.length > 1 ? Answers.byRequest(config) : undefined
    return () => byRequest
  }),
  slot: "TransportSecurity"
})

const preflight = Middleware.before("cors-preflight", {
  build: Effect.map(CorsConfig, (config) => {
    const answer = config.origins.length > 0 ? Answers.preflight(config) : undefined
    return ({ method }: Middleware.RouteInfo) =>
      method === "*" || method === "OPTIONS" ? answer : undefined
  }),
  slot: "TransportSecurity"
})

/**
 * Lets pages of other origins call the app (CORS, as the Fetch standard has it),
 * on every reply but those of bare routes, errors among them. Strict: without
 * `cors.origins` no origin may. Preflights are answered before any other slot,
 * with 204, for every path.
 *
 * One origin, or `*`, costs a request nothing: the headers are put together once.
 * With several the reply names the one that asked, and varies by it.
 *
 * Boot fails with `ConfigError` where `*` comes with credentials, which no browser
 * takes, and where it is the origin in the environment `production` without
 * `cors.openInProduction`.
 *
 * @example
 * ```ts
 * import { App } from "flange"
 * import * as Cors from "flange/Cors"
 *
 * const app = App.make("shop", [Cors.plugin], {
 *   config: { values: { cors: { origins: ["https://app.example.com"] } } }
 * })
 * const web = App.toWebHandler(app)
 * const response = await web.handler(new Request("http://app/nowhere"))
 * response.headers.get("access-control-allow-origin") // => "https://app.example.com"
 * await web.dispose()
 * ```
 */
export const plugin = Plugin.make("flange:cors", {
  config: [CorsConfig],
  layer: refuseOpenProduction,
  middleware: [headers, origins, preflight]
})
