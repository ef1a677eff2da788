/** The plugin that sets security headers. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Plugin from "../../Plugin/Plugin.ts"
import * as PluginCheck from "../../Plugin/PluginCheck.ts"
import { CurrentExchange } from "../../Server/Exchange/Exchange.ts"
import { secureness } from "../../Server/Exchange/OwnOrigin.ts"
import * as Middleware from "../../Server/Route/Middleware.ts"
import { ServerConfig } from "../../Server/ServerConfig.ts"
import * as Nonce from "./Nonce.ts"
import * as RouteHeaders from "./RouteHeaders.ts"
import { SecureHeadersConfig } from "./SecureHeadersConfig.ts"

const headersOf = Effect.map(SecureHeadersConfig, RouteHeaders.make)

const headers = Middleware.headers("secure-headers", {
  build: Effect.map(headersOf, (of) => (route: Middleware.RouteInfo) => of(route).constant)
})

const strictTransport = Middleware.before("strict-transport-security", {
  build: Effect.gen(function* () {
    const of = yield* headersOf
    // The app may have none.
    const all = (yield* Effect.context<never>()) as Context.Context<
      (typeof ServerConfig)["Identifier"]
    >
    const isSecure = secureness(Context.getOrUndefined(all, ServerConfig))
    return (route: Middleware.RouteInfo) => {
      const { hsts } = of(route)
      if (hsts === undefined) return undefined
      const before: Middleware.Before = (request) => {
        if (isSecure(request)) {
          request.find(CurrentExchange)!.setDefaultHeader("strict-transport-security", hsts)
        }
        return Middleware.pass
      }
      return before
    }
  }),
  slot: "TransportSecurity"
})

const policyName = "content-security-policy"

/** Sets the policies with a nonce. */
const policies = Middleware.transform("content-security-policy", {
  build: Effect.map(headersOf, (of) => (route: Middleware.RouteInfo) => {
    const { policy } = of(route)
    if (policy === undefined) return undefined
    const transform: Middleware.Transform = (request, reply) =>
      reply.status === 304 || reply.header(policyName) !== undefined
        ? undefined
        : { set: [policyName, policy.replaceAll(RouteHeaders.placeholder, Nonce.of(request))] }
    return transform
  })
})

/**
 * Sets headers that tell browsers what they may do with a reply, on all replies except those of bare
 * routes. They are those that helmet 8 sends by default, with one difference: `Referrer-Policy` is
 * `same-origin`. With the `no-referrer` of helmet, browsers hide the origin of forms of the app's own
 * pages, and the check for cross-site requests refuses them.
 * A header that a handler sets is kept, so a page can have a policy of its own. The section
 * `secureHeaders` changes the headers of the app, and the annotation `SecurityHeaders` of
 * `flange/SecureHeaders/Contract` those of an endpoint or a group.
 *
 * `Strict-Transport-Security` is sent over https only: on a connection that the app has encrypted, or if
 * a proxy in `server.trustedProxies` says that the client has used https (RFC 6797, section 7.2). A value
 * that a handler sets is sent over http too, where browsers ignore it.
 *
 * `{nonce}` in `secureHeaders.contentSecurityPolicy` is replaced by the nonce of the reply, another one
 * each time, which `SecureHeaders.nonce` returns to the handler. A 304 has no such policy: the client
 * keeps that of the page that it has.
 *
 * All other headers are computed once at boot, in the slot `TransportSecurity`. A request costs only
 * their bytes.
 *
 * @example
 * ```ts
 * import { App } from "flange"
 * import * as SecureHeaders from "flange/SecureHeaders"
 *
 * const web = App.toWebHandler(App.make("shop", [SecureHeaders.plugin]))
 * const response = await web.handler(new Request("http://app/nowhere"))
 * response.headers.get("x-content-type-options") // => "nosniff"
 * await web.dispose()
 * ```
 */
export const plugin = Plugin.make("flange:secure-headers", {
  config: [SecureHeadersConfig],
  contributes: [PluginCheck.kind.make("security-headers", RouteHeaders.check)],
  middleware: [headers, strictTransport, policies],
  // A reply of other middleware in this slot, such as a 503, is over https as well.
  order: { first: true }
})
