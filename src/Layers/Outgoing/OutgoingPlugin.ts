/** The battery as a plugin. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Plugin from "../../Plugin/Plugin.ts"
import * as Clients from "./Clients.ts"
import type { UnknownUpstream } from "./Errors.ts"
import { OutgoingConfig, type Settings } from "./OutgoingConfig.ts"
import * as Transport from "./Transport.ts"

/** Creates the services over a transport, with the limits of the section `outgoing`. */
export const services = <E>(
  transport: (settings: Settings) => Effect.Effect<Transport.Transport, E, Scope.Scope>
) =>
  Effect.gen(function* () {
    const settings = yield* OutgoingConfig
    const { client, clients } = yield* Clients.make(settings, yield* transport(settings))
    return Context.make(HttpClient.HttpClient, client).pipe(Context.add(Clients.Clients, clients))
  })

/**
 * Provides `HttpClient` of `effect/http/HttpClient` and `Clients`: outgoing calls with limits. Every call
 * has a timeout, retries within a budget, a circuit breaker and a bound on how many run at the same time.
 *
 * - config: section `outgoing`
 * - metrics: `http.client.request.duration`, `flange.outgoing.breaker`, `flange.outgoing.hedges`,
 *   `flange.outgoing.refusals`, `flange.outgoing.retries`, `flange.outgoing.running` and
 *   `flange.outgoing.waiting`, by upstream
 *
 * A call that a limit refuses or ends fails with an `HttpClientError`, whose reason `Outgoing.refusalOf`
 * returns. If a handler dies with the error, the reply is 502, 503 or 504.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { App, Plugin } from "flange"
 * import * as Outgoing from "flange/Outgoing"
 *
 * const Rates = Plugin.make("app:rates", {
 *   ready: () => Outgoing.client("rates").pipe(Effect.flatMap((rates) => rates.get("/EUR")), Effect.ignore),
 *   requires: [Outgoing.Clients]
 * })
 *
 * const app = App.make("shop", [Outgoing.plugin, Rates], {
 *   config: { values: { outgoing: { upstreams: { rates: { url: "https://rates.example.com" } } } } }
 * })
 * App.describe(app).plugins.map(({ id }) => id) // => ["flange:outgoing", "app:rates"]
 * ```
 */
export const plugin = Plugin.make("flange:outgoing", {
  config: [OutgoingConfig],
  layer: Layer.effectContext(services((settings) => Transport.make(settings))),
  provides: [Clients.Clients, HttpClient.HttpClient]
})

/**
 * Returns the client of an upstream of the section `outgoing.upstreams`. The URLs of its requests are
 * paths below the URL of the upstream. A path that leads out of it is refused.
 *
 * Fails with `UnknownUpstream` if the configuration does not have the name. Call it in a layer, so that
 * the app does not start then.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Outgoing from "flange/Outgoing"
 *
 * export const rate = Effect.gen(function* () {
 *   const rates = yield* Outgoing.client("rates")
 *   const response = yield* rates.get(`/rates/${encodeURIComponent("EUR")}`)
 *   return yield* response.json
 * })
 * ```
 */
export const client = (
  name: string
): Effect.Effect<HttpClient.HttpClient, UnknownUpstream, Clients.Clients> =>
  Clients.Clients.use((clients) => clients.named(name))

/**
 * Succeeds with the client of URLs that come from users, such as those of webhooks and of pictures.
 *
 * - It calls public addresses only, `http` and `https`, ports 80 and 443. The address is checked when the
 *   connection is opened, so a name that changes its address afterwards gains nothing.
 * - It follows redirects of `GET` and `HEAD`, and checks each. To another origin it sends no header of the
 *   app but `accept`, `accept-language` and `user-agent`.
 * - The body, also as a stream, has at most `outgoing.userUrls.maxResponse` bytes, and the whole call ends
 *   within `outgoing.userUrls.timeout`. Nothing is decompressed.
 * - It sends no trace, no request id and no deadline, and does not retry.
 *
 * A URL that is refused fails with the limit `url`.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Outgoing from "flange/Outgoing"
 *
 * export const preview = (url: string) =>
 *   Effect.gen(function* () {
 *     const client = yield* Outgoing.forUserUrls
 *     const response = yield* client.get(url)
 *     return yield* response.text
 *   })
 * ```
 */
export const forUserUrls: Effect.Effect<HttpClient.HttpClient, never, Clients.Clients> =
  Clients.Clients.useSync((clients) => clients.forUserUrls)
