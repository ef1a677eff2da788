/**
 * The checks in front of every request to the admin port. Its clients are people with curl, a console in a
 * browser, and a Prometheus server. Requests that a page of another site starts are refused.
 */
import * as Effect from "effect/Effect"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Redacted from "effect/Redacted"
import { isLoopback } from "../../Config/Loopback.ts"
import { AdminHeaderMissing, AdminHostRefused } from "../../Contract/AdminErrors.ts"
import { CurrentCaller, CurrentIdentity, type Identity } from "../../Contract/Authentication.ts"
import { CrossSiteRequest, Unauthenticated } from "../../Contract/Catalogue.ts"
import { report } from "../../Server/Exchange/Audit.ts"
import * as BearerToken from "../../Server/Exchange/BearerToken.ts"
import type { Incoming } from "../../Server/Exchange/Before.ts"
import { isOwn } from "../../Server/Exchange/OwnOrigin.ts"
import * as Middleware from "../../Server/Route/Middleware.ts"
import { AdminConfig } from "./AdminConfig.ts"

/** The name of the port in audit events, which name an authentication chain there. */
const chain = "admin"

const challenge = 'Bearer realm="admin"'

/** The caller that has sent the token. */
const identity: Identity = {
  attributes: {},
  displayName: "admin token",
  isPrivileged: true,
  isServiceAccount: true,
  method: "token",
  scopes: new Set(),
  subject: "admin-token"
}

/** Checks whether a request with this method changes something on the admin port. */
export const changes = (method: string): boolean =>
  method !== "GET" && method !== "HEAD" && method !== "OPTIONS"

/** Checks whether a page of another site has sent the request. Only a link to a page of this port is let in. */
const isForeign = (request: Incoming): boolean => {
  const site = request.header("sec-fetch-site")
  if (site === "cross-site" || site === "same-site") {
    return changes(request.method) || request.header("sec-fetch-mode") !== "navigate"
  }
  const origin = request.header("origin")
  return origin !== undefined && changes(request.method) && !isOwn(request, origin)
}

/** Checks whether a content type is JSON, or a format that is written as JSON. */
export const isJson = (type: string | undefined): boolean =>
  /^application\/(?:[\w.+-]+\+)?json(?:$|[ ;])/i.test(type ?? "")

/** Checks whether a form of another site cannot have sent the request. A browser asks this port before it does. */
const hasOwnHeader = (request: Incoming): boolean =>
  isJson(request.header("content-type")) || request.header("x-requested-with") !== undefined

/** Checks whether a browser can have resolved the name in `Host` to this machine only. */
const isKnownHost = (request: Incoming, host: string): boolean => {
  const sent = request.header("host")
  // Every browser sends one.
  if (sent === undefined) return true
  const name = URL.parse(`http://${sent}`)?.hostname.replace(/^\[(.*)\]$/, "$1")
  return name !== undefined && (isLoopback(name) || name === host)
}

const reply = (error: HttpServerRespondable.Respondable) => HttpServerRespondable.toResponse(error)

const unauthenticated = Effect.map(
  reply(new Unauthenticated()),
  HttpServerResponse.setHeader("www-authenticate", challenge)
)

/** Returns the checks that both kinds of port have, or undefined if a request passes. */
const refusalOf = (
  request: Incoming,
  route: string,
  isKnown: (request: Incoming) => boolean
): Effect.Effect<HttpServerResponse.HttpServerResponse> | undefined => {
  const denied = (reason: string, error: HttpServerRespondable.Respondable) =>
    Effect.andThen(report(request, { chain, outcome: "denied", reason, route }), reply(error))
  if (!isKnown(request)) {
    return denied(`Host is ${request.header("host")}`, new AdminHostRefused())
  }
  if (isForeign(request)) return denied("A page of another site sent it", new CrossSiteRequest())
  return changes(request.method) && !hasOwnHeader(request)
    ? denied("It has no header that a form cannot send", new AdminHeaderMissing())
    : undefined
}

/** Middleware that admits clients with the token. Without a token it admits every client of this machine. */
export const withToken = Middleware.before("admin-gate", {
  build: Effect.map(AdminConfig, ({ host, token }) => ({ method, path }) => {
    const route = `${method} ${path}`
    const secret = token === undefined ? undefined : Redacted.value(token)
    return (request) => {
      if (secret === undefined) {
        return refusalOf(request, route, (one) => isKnownHost(one, host)) ?? Middleware.pass
      }
      const refusal = refusalOf(request, route, () => true)
      if (refusal !== undefined) return refusal
      const sent = request.header("authorization")
      if (!BearerToken.matches(sent, secret)) {
        const reason = sent === undefined ? "It has no token" : "It has a wrong token"
        return Effect.andThen(
          report(request, { chain, method: "token", outcome: "denied", reason, route }),
          unauthenticated
        )
      }
      request.provide(CurrentCaller, { chain, challenge, identity })
      request.provide(CurrentIdentity, identity)
      return Middleware.pass
    }
  }),
  slot: "Custom"
})

/** Middleware that refuses pages of other sites, in front of an authentication chain. */
export const withoutToken = Middleware.before("admin-gate", {
  build: Effect.succeed(({ method, path }) => {
    const route = `${method} ${path}`
    // The credentials of a browser belong to the name of this port.
    return (request) => refusalOf(request, route, () => true) ?? Middleware.pass
  }),
  slot: "Custom"
})

/** Middleware with the headers of every reply: no page of another site reads, frames or keeps it. */
export const headers = Middleware.headers("admin-headers", {
  build: Effect.succeed(() => ({
    "cache-control": "no-store",
    "content-security-policy": "default-src 'self'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY"
  }))
})
