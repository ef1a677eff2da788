/** The CORS plugin. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Plugin from "../../Plugin/Plugin.ts"
import { CredentialedOrigins } from "../../Server/Exchange/OwnOrigin.ts"
import * as Middleware from "../../Server/Route/Middleware.ts"
import * as Answers from "./Answers.ts"
import { CorsConfig } from "./CorsConfig.ts"

const headers = Middleware.headers("cors", {
  build: Effect.map(CorsConfig, (config) => {
    const constant = Answers.constant(config)
    return () => constant
  })
})

const origins = Middleware.before("cors-origins", {
  build: Effect.map(CorsConfig, (config) => {
    const allowOrigin = config.origins.length > 1 ? Answers.allowOrigin(config) : undefined
    return () => allowOrigin
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
 * Lets pages of other origins call the app (CORS, Fetch standard). All replies have the headers,
 * errors included, except those of bare routes. Without `cors.origins` no other origin may call.
 * Preflights of every path are answered with 204 before any other slot runs.
 *
 * With one origin, or `*`, the headers are computed once at boot. With several, the reply names the
 * origin of the request and has `Vary: Origin`.
 *
 * With `cors.credentials`, pages of these origins may send cookies, so the Auth battery accepts their
 * requests as well.
 *
 * Boot fails with `ConfigError` if the origin `*` is combined with credentials, which browsers
 * refuse, or if it is used in the environment `production` without `cors.openInProduction`.
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
  layer: Layer.effect(
    CredentialedOrigins,
    Effect.map(CorsConfig, ({ credentials, origins }) => new Set(credentials ? origins : []))
  ),
  middleware: [headers, origins, preflight]
})
