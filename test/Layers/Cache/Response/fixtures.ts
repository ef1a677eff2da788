/** An app whose replies are cached, and the requests that its handlers saw. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { App, Middleware, Plugin, Route } from "flange"
import * as Auth from "flange/Auth"
import { requireScopes, unguarded } from "flange/Auth/Contract"
import * as Cache from "flange/Cache"
import { ResponseCache } from "flange/Cache/Contract"

const Text = Schema.String

const page = ResponseCache.public("1 minute")

export class PagesApi extends HttpApiGroup.make("pages")
  .add(
    HttpApiEndpoint.post("change", "/home", { success: Text }),
    HttpApiEndpoint.get("declared", "/declared", {
      headers: { "x-tenant": Schema.optionalKey(Text) },
      success: Text
    }),
    HttpApiEndpoint.get("home", "/home", { success: Text }),
    HttpApiEndpoint.get("language", "/language", { success: Text }).annotate(
      ResponseCache,
      page.varyBy("Accept-Language")
    ),
    // What the handler makes of a reply, by the parameter.
    HttpApiEndpoint.get("made", "/made/:how", { params: { how: Text }, success: Text }),
    ResponseCache.tagged(
      HttpApiEndpoint.get("product", "/products/:id", {
        params: { id: Text },
        query: { q: Schema.optionalKey(Text), tag: Schema.optionalKey(Schema.Array(Text)) },
        success: Text
      }),
      ({ id }) => [`product:${id}`]
    ).annotate(ResponseCache, page.tags("catalogue")),
    HttpApiEndpoint.get("search", "/search", {
      query: Schema.Record(Text, Text),
      success: Text
    }),
    HttpApiEndpoint.get("uncached", "/uncached", { success: Text }).annotate(ResponseCache, false)
  )
  .annotate(ResponseCache, page) {}

export class MineApi extends HttpApiGroup.make("mine")
  .add(
    HttpApiEndpoint.get("guarded", "/mine/guarded", { success: Text }).middleware(
      requireScopes("secret:read")
    ),
    unguarded(HttpApiEndpoint.get("read", "/mine", { success: Text }))
  )
  .annotate(ResponseCache, ResponseCache.perIdentity("1 minute")) {}

const replies: Readonly<Record<string, () => HttpServerResponse.HttpServerResponse>> = {
  bytes: () =>
    HttpServerResponse.uint8Array(new Uint8Array([0, 255, 128]), { contentType: "image/x" }),
  cookie: () => HttpServerResponse.setCookieUnsafe(HttpServerResponse.text("ok"), "session", "s"),
  cookieLine: () => HttpServerResponse.text("ok", { headers: { "set-cookie": "a=b" } }),
  empty: () => HttpServerResponse.empty({ status: 204 }),
  error: () => HttpServerResponse.text("no", { status: 500 }),
  expired: () => HttpServerResponse.text("ok", { headers: { expires: "0" } }),
  gone: () => HttpServerResponse.text("gone", { status: 410 }),
  huge: () => HttpServerResponse.text("x".repeat(2 * 2 ** 20 + 1)),
  large: () => HttpServerResponse.text("x".repeat(2 * 2 ** 20)),
  noCache: () => HttpServerResponse.text("ok", { headers: { "cache-control": "no-cache" } }),
  noStore: () => HttpServerResponse.text("ok", { headers: { "cache-control": "no-store" } }),
  partial: () =>
    HttpServerResponse.text("ok", { headers: { "content-range": "bytes 0-1/2" }, status: 206 }),
  private: () => HttpServerResponse.text("ok", { headers: { "cache-control": "private" } }),
  short: () => HttpServerResponse.text("ok", { headers: { "cache-control": "max-age=5" } }),
  tagged: () => HttpServerResponse.text("ok", { headers: { etag: '"mine"' } }),
  varied: () => HttpServerResponse.text("ok", { headers: { vary: "Accept-Encoding" } }),
  varyAll: () => HttpServerResponse.text("ok", { headers: { vary: "*" } })
}

/** Callers by token. Two tokens are of one caller. */
const callers = {
  "token-of-ada-0000": { scopes: ["secret:read"], subject: "ada" },
  "token-of-ada-less": { scopes: [], subject: "ada" },
  "token-of-bob-0000": { scopes: [], subject: "bob" }
} as const

export type Token = keyof typeof callers

/** Returns the options of a request with a token. */
export const as = (token: Token, headers: Readonly<Record<string, string>> = {}) => ({
  headers: { ...headers, authorization: `Bearer ${token}` }
})

const AuthPlugin = Auth.plugin({
  default: Auth.chain(
    [
      Auth.bearer(
        Object.entries(callers).map(([token, identity]) => ({
          identity,
          token: Redacted.make(token)
        }))
      )
    ],
    { unauthenticated: "anonymous" }
  )
})

/** Creates the app. Each handler replies with what it can see and the number of its run. */
export const make = (values: object = {}) => {
  const ran: Array<string> = []
  const see = (name: string) =>
    Effect.map(HttpServerRequest, ({ headers, method, originalUrl, url }) => {
      ran.push(name)
      const seen = { headers, method, originalUrl, run: ran.length, url }
      return JSON.stringify(seen)
    })
  const Pages = Plugin.make("app:pages", {
    routes: [
      Route.public(PagesApi, (handlers) =>
        handlers.handleAll({
          change: () => see("change"),
          declared: () => see("declared"),
          home: () => see("home"),
          language: () => see("language"),
          made: ({ params }) =>
            Effect.sync(() => {
              ran.push(params.how)
              return replies[params.how]!()
            }),
          product: ({ params, query, request }) =>
            Effect.map(see("product"), (seen) =>
              JSON.stringify([params.id, query, request.url, request.headers, seen])
            ),
          search: ({ query }) => Effect.map(see("search"), () => JSON.stringify(query)),
          uncached: () => see("uncached")
        })
      )
    ]
  })
  const Mine = Plugin.make("app:mine", {
    routes: [
      Route.protected(MineApi, (handlers) =>
        handlers.handleAll({
          guarded: ({ identity }) => Effect.sync(() => `secret of ${identity.subject}`),
          read: ({ identity }) =>
            Effect.sync(() => {
              ran.push(identity.subject)
              return `${identity.subject} ${[...identity.scopes].join(",")}`
            })
        })
      )
    ]
  })
  const seen: Array<string> = []
  const Observer = Plugin.make("app:observer", {
    middleware: [
      Middleware.observe("seen", {
        build: Effect.succeed(() => ({ fields }, status) => {
          seen.push(`${fields["cache"]} ${status}`)
        })
      })
    ]
  })
  const app = App.make("shop", [Cache.plugin, AuthPlugin, Mine, Observer, Pages], {
    config: { values }
  })
  return { app, ran, seen }
}
