/** The plugin that sets security headers. */
import * as Effect from "effect/Effect"
import * as Plugin from "../../Plugin/Plugin.ts"
import * as Middleware from "../../Server/Route/Middleware.ts"
import { defaults, SecureHeadersConfig } from "./SecureHeadersConfig.ts"

const middleware = Middleware.headers("secure-headers", {
  build: Effect.map(SecureHeadersConfig, ({ contentSecurityPolicy: csp, headers, hsts = "" }) => {
    const all = {
      ...defaults,
      ...(csp === undefined ? {} : { "content-security-policy": csp }),
      "strict-transport-security": hsts,
      ...headers
    }
    const sent = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ""))
    return () => sent
  })
})

/**
 * Sets headers that tell browsers what they may do with a reply, on all replies except those of bare
 * routes. They are those that helmet 8 sends by default, with one difference: `Referrer-Policy` is
 * `same-origin`. With the `no-referrer` of helmet, browsers hide the origin of forms of the app's own
 * pages, and the check for cross-site requests refuses them.
 * A header that a handler sets is kept, so a page can have a policy of its own. The section
 * `secureHeaders` changes the headers.
 *
 * `Strict-Transport-Security` is sent only if `secureHeaders.hsts` is set: browsers then no longer
 * reach the host over plain http (RFC 6797).
 *
 * The headers are computed once at boot, in the slot `TransportSecurity`. A request costs only
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
  middleware: [middleware]
})
