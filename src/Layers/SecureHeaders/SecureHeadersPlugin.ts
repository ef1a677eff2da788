/** The battery as a plugin. */
import * as Effect from "effect/Effect"
import * as Plugin from "../../Plugin/Plugin.ts"
import * as Middleware from "../../Server/Route/Middleware.ts"
import { SecureHeadersConfig } from "./SecureHeadersConfig.ts"

/** What helmet 8 sends by default, but for Strict-Transport-Security. */
const defaults: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'self';base-uri 'self';font-src 'self' https: data:;form-action 'self';" +
    "frame-ancestors 'self';img-src 'self' data:;object-src 'none';script-src 'self';" +
    "script-src-attr 'none';style-src 'self' https: 'unsafe-inline';upgrade-insecure-requests",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "origin-agent-cluster": "?1",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-dns-prefetch-control": "off",
  "x-download-options": "noopen",
  "x-frame-options": "SAMEORIGIN",
  "x-permitted-cross-domain-policies": "none",
  "x-xss-protection": "0"
}

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
 * Headers that tell browsers what they may do with a reply: those that helmet 8
 * sends by default, on every reply but those of bare routes. A header that a
 * handler sets itself stays, so a page can have a policy of its own. The section
 * `secureHeaders` changes them.
 *
 * `Strict-Transport-Security` is sent only where `secureHeaders.hsts` says so: a
 * host that is also reached over plain http would no longer be (RFC 6797).
 *
 * They are put together once, in the slot `TransportSecurity`, and cost a request
 * nothing but their bytes.
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
