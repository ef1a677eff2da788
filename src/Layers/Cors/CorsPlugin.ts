/** The CORS plugin. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Plugin from "../../Plugin/Plugin.ts"
import { CredentialedOrigins } from "../../Server/Exchange/OwnOrigin.ts"
import * as Middleware from "../../Server/Route/Middleware.ts"
import * as Answers from "./Answers.ts"
import { CorsConfig } from "./CorsConfig.ts"
import { Origins, type Predicate } from "./Origins.ts"

type Config = (typeof CorsConfig)["Service"]

const make = (predicate: Predicate | undefined) => {
  const built = <A>(build: (config: Config, origins: Origins) => A) =>
    Effect.map(CorsConfig, (config) => build(config, new Origins(config.origins, predicate)))
  const headers = Middleware.headers("cors", {
    build: built((config, origins) => {
      const constant = Answers.constant(config, origins)
      return () => constant
    })
  })
  const allowed = Middleware.before("cors-origins", {
    build: built((config, origins) => {
      const isConstant = origins.isEmpty || origins.only !== undefined
      const allowOrigin = isConstant ? undefined : Answers.allowOrigin(config, origins)
      return () => allowOrigin
    }),
    slot: "TransportSecurity"
  })
  const preflight = Middleware.before("cors-preflight", {
    build: built((config, origins) => {
      const answer = origins.isEmpty ? undefined : Answers.preflight(config, origins)
      return ({ method }: Middleware.RouteInfo) =>
        method === "*" || method === "OPTIONS" ? answer : undefined
    }),
    slot: "TransportSecurity"
  })
  return Plugin.make("flange:cors", {
    config: [CorsConfig],
    layer: Layer.effect(
      CredentialedOrigins,
      Effect.map(
        CorsConfig,
        ({ credentials, origins }) =>
          new Origins(credentials ? origins : [], credentials ? predicate : undefined)
      )
    ),
    middleware: [headers, allowed, preflight],
    // A page can read a reply of other middleware in this slot, such as a 503.
    order: { first: true }
  })
}

/**
 * Lets pages of other origins call the app (CORS, Fetch standard). All replies have the headers,
 * errors included, except those of bare routes. Without `cors.origins` no other origin may call.
 * Preflights of every path are answered with 204 before any other slot runs.
 *
 * With one origin, or `*`, the headers are computed once at boot. With several, or with a pattern such
 * as `https://*.example.com`, the reply names the origin of the request, and every reply has
 * `Vary: Origin`.
 *
 * With `cors.credentials`, pages of these origins may send cookies, so the Auth battery accepts their
 * requests as well.
 *
 * Boot fails with `ConfigError` if the origin `*` is combined with credentials, which browsers
 * refuse, or if it is used outside of the environment `local` without `cors.openToAll`.
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
export const plugin = make(undefined)

/**
 * Creates the same plugin with a function that decides about origins which `cors.origins` does not have,
 * such as the domains of customers. It is called for every request with an `Origin` that is neither
 * allowed nor `null`, so it should read from memory. If it throws, the reply is a 500.
 *
 * @example
 * ```ts
 * import { App } from "flange"
 * import * as Cors from "flange/Cors"
 *
 * const domains = new Set(["https://shop.example", "https://store.example"])
 * const app = App.make("shop", [Cors.withPredicate((origin) => domains.has(origin))])
 *
 * const web = App.toWebHandler(app)
 * const headers = { origin: "https://store.example" }
 * const response = await web.handler(new Request("http://app/nowhere", { headers }))
 * response.headers.get("access-control-allow-origin") // => "https://store.example"
 * await web.dispose()
 * ```
 */
export const withPredicate = (allows: Predicate) => make(allows)
