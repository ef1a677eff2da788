/** The nonces of replies. Source: Content Security Policy Level 3, section 7.1. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { CurrentExchange } from "../../Server/Exchange/Exchange.ts"

/** The nonces that were taken, by request. */
const taken = new WeakMap<object, string>()

/** Returns the nonce of the reply to a request: 128 random bits in Base64, made when it is first read. */
export const of = (request: object): string => {
  const known = taken.get(request)
  if (known !== undefined) return known
  const made = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("base64")
  taken.set(request, made)
  return made
}

/**
 * The nonce of the reply to the request that this fiber serves: 128 random bits in Base64, for the
 * attribute `nonce` of scripts and styles in a page. `{nonce}` in `secureHeaders.contentSecurityPolicy`,
 * or in a policy of the annotation `SecurityHeaders`, is replaced by it. Outside of a request, the effect
 * dies.
 *
 * Do not store a page with a nonce, in `ResponseCache` or elsewhere: each reply has another nonce in its
 * header, so that a browser refuses the scripts of a stored page.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as HttpRouter from "effect/http/HttpRouter"
 * import * as HttpServerResponse from "effect/http/HttpServerResponse"
 * import { App, Plugin, Route } from "flange"
 * import * as SecureHeaders from "flange/SecureHeaders"
 *
 * const page = Effect.map(SecureHeaders.nonce, (nonce) =>
 *   HttpServerResponse.text(`<script nonce="${nonce}">start()</script>`, { contentType: "text/html" }))
 * const Page = Plugin.make("app:page", {
 *   routes: [Route.raw("page", HttpRouter.add("GET", "/", page), { access: "public" })]
 * })
 * const contentSecurityPolicy = "script-src 'nonce-{nonce}'"
 * const app = App.make("shop", [SecureHeaders.plugin, Page], {
 *   config: { values: { secureHeaders: { contentSecurityPolicy } } }
 * })
 *
 * const web = App.toWebHandler(app)
 * const response = await web.handler(new Request("http://app/"))
 * const [, nonce] = response.headers.get("content-security-policy")!.split(/'nonce-|'/)
 * ;(await response.text()).includes(`nonce="${nonce}"`) // => true
 * await web.dispose()
 * ```
 */
export const nonce: Effect.Effect<string> = Effect.withFiber((fiber) => {
  // The context may have no request.
  const context = fiber.context as Context.Context<CurrentExchange>
  const exchange = Context.getOrUndefined(context, CurrentExchange)
  return exchange === undefined
    ? Effect.die(
        new Error(
          "SecureHeaders.nonce is read outside of a request, where no reply has a nonce. Read it in a handler."
        )
      )
    : Effect.succeed(of(exchange))
})
