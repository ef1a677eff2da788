/** Contract middleware with several security schemes. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import type * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import type * as HttpApiSecurity from "effect/http-api/HttpApiSecurity"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as AmbientHeader from "../Exchange/AmbientHeader.ts"
import { CurrentExchange } from "../Exchange/Exchange.ts"
import type { EndpointInGroup } from "./ContractMiddleware.ts"

type Handler = Effect.Effect<HttpServerResponse, unknown, unknown>

/** The function of a security middleware for one of its schemes. */
type SchemeMiddleware = (
  next: Handler,
  options: EndpointInGroup & { readonly credential: unknown }
) => Handler

/**
 * Runs `next` behind the first scheme that admits the caller. Fails with the failure of
 * the last scheme. After `next` has started, its failures are passed on and no other
 * scheme runs.
 */
export const wrap = (
  key: HttpApiMiddleware.AnyServiceSecurity,
  service: Readonly<Record<string, SchemeMiddleware>>,
  options: EndpointInGroup
) => {
  const schemes = Object.entries(key.security).map(([name, security]) => ({
    // It needs the request, which is in the context of its fiber.
    credential: HttpApiBuilder.securityDecode(security) as Effect.Effect<unknown, never, unknown>,
    middleware: service[name]!,
    stored: headerOfStored(security)
  }))
  return (next: Handler): Handler =>
    schemes.length === 0
      ? next
      : Effect.suspend(() => {
          let hasPassed = false
          const passed = Effect.suspend(() => {
            hasPassed = true
            return next
          })
          const from = (at: number): Handler => {
            const { credential, middleware, stored } = schemes[at]!
            const tried = Effect.flatMap(credential, (credential) =>
              middleware(passed, { ...options, credential })
            )
            return (stored === undefined ? tried : Effect.andThen(marked(stored), tried)).pipe(
              Effect.catch((error) =>
                hasPassed || at + 1 === schemes.length ? Effect.fail(error) : from(at + 1)
              )
            )
          }
          return from(0)
        })
}

/** Returns the header in which browsers send the credentials of a scheme by themselves, if they do. */
const headerOfStored = (security: HttpApiSecurity.HttpApiSecurity): string | undefined => {
  switch (security._tag) {
    case "ApiKey": {
      if (security.in === "cookie") return "cookie"
      const name = security.key.toLowerCase()
      return security.in === "header" && AmbientHeader.isAmbient(name, undefined) ? name : undefined
    }
    case "Basic":
      return "authorization"
    case "Http":
      return AmbientHeader.isAmbient("authorization", security.scheme.toLowerCase())
        ? "authorization"
        : undefined
  }
}

const marked = (header: string) =>
  Effect.map(CurrentExchange, (exchange) => {
    if (exchange.header(header) !== undefined) exchange.hasAmbientCredentials = true
  })
