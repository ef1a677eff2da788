/**
 * Finds requests that pages of other origins start. A browser adds cookies and Basic credentials to
 * them, so the page could act in the name of the caller (cross-site request forgery, cross-site
 * WebSocket hijacking).
 */
import * as Effect from "effect/Effect"
import type { Incoming } from "../../Server/Exchange/Before.ts"
import { CredentialedOrigins, isOwn } from "../../Server/Exchange/OwnOrigin.ts"
import { CrossSiteConfig } from "./CrossSiteConfig.ts"

/** Returns why a request counts as started by a page of another origin; undefined if it does not. */
export type ReasonOf = (request: Incoming) => string | undefined

/** Whether requests with this method change nothing. Source: RFC 9110, section 9.2.1. */
export const isSafe = (method: string): boolean =>
  method === "GET" || method === "HEAD" || method === "OPTIONS"

/**
 * Returns the check of requests. It believes `Sec-Fetch-Site`, which no page can set, and without it
 * compares `Origin` with the origin to which the request was sent. A request without both is not
 * from a browser.
 */
export const make: Effect.Effect<ReasonOf, never, (typeof CrossSiteConfig)["Identifier"]> =
  Effect.map(CrossSiteConfig, ({ allowedOrigins }): ReasonOf => {
    const allowed = new Set(allowedOrigins)
    return (request) => {
      // A page of any origin may open a WebSocket, and read what it answers.
      if (isSafe(request.method) && request.header("upgrade") === undefined) return undefined
      const site = request.header("sec-fetch-site") || undefined
      const origin = request.header("origin")
      if (site === "same-origin" || site === "none") return undefined
      if (origin === undefined && site === undefined) return undefined
      if (
        origin !== undefined &&
        (allowed.has(origin) || request.get(CredentialedOrigins).has(origin))
      ) {
        return undefined
      }
      if (site !== undefined) return `A page of another origin sent it: Sec-Fetch-Site is ${site}`
      return isOwn(request, origin!)
        ? undefined
        : `A page of another origin sent it: Origin is ${origin}`
    }
  })
