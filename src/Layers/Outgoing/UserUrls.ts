/** Calls to URLs that come from users. */
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import * as HttpBody from "effect/http/HttpBody"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as UrlParams from "effect/http/UrlParams"
import * as Option from "effect/Option"
import { hasProperty } from "effect/Predicate"
import * as Struct from "effect/Struct"
import { during } from "../../Plugin/Deadline.ts"
import * as Address from "./Address.ts"
import { type Calling, refuse } from "./Attempt.ts"
import { Bulkhead } from "./Bulkhead.ts"
import * as Call from "./Call.ts"
import { LookupRefused } from "./Lookups.ts"
import type { Meters } from "./Meters.ts"
import type { Settings } from "./OutgoingConfig.ts"
import { RetryBudget } from "./RetryBudget.ts"
import type { Upstream } from "./Upstream.ts"

/** The name of all URLs of users together, in metrics and errors. */
export const name = "userUrls"

/** The headers that go to another origin than the one that the app has called. */
const harmless = ["accept", "accept-language", "user-agent"]

/** The statuses of redirects. */
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/**
 * The codes of names without an allowed address. They are refused alike, so that a caller cannot ask for
 * the names of a private network.
 */
const unreachable: ReadonlySet<unknown> = new Set(["ADDRESS_REFUSED", "EAI_AGAIN", "ENOTFOUND"])

/** Returns why a URL is not called; undefined if only the addresses of its host can tell. */
const faultOf = (url: URL, settings: Settings["userUrls"]): string | undefined => {
  const { allowNetworks, ports, schemes } = settings
  const scheme = url.protocol.slice(0, -1)
  if (!schemes.some((allowed) => allowed === scheme)) {
    return `was refused: the URL has none of the schemes ${schemes.join(", ")}.`
  }
  const port = url.port === "" ? (scheme === "https" ? 443 : 80) : Number(url.port)
  if (!ports.includes(port)) {
    return `was refused: the URL has none of the ports ${ports.join(", ")}.`
  }
  if (url.username + url.password !== "") return "was refused: the URL has credentials."
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1")
  return /^[\d.]+$|:/.test(host) && !Address.isAllowed(host, allowNetworks) ? noAddress : undefined
}

const noAddress = "was refused: the host of the URL has no address, or one that is not public."

/** Creates the upstream that stands for all URLs of users. */
export const makeUpstream = (settings: Settings, meters: Meters): Upstream => {
  const { maxConcurrent, maxResponse, timeout } = settings.userUrls
  return {
    // The users choose the URLs, so the failures of one tell nothing about the next.
    breaker: { execute: (attempt) => attempt, state: () => 0 },
    budget: new RetryBudget(0),
    bulkhead: new Bulkhead(maxConcurrent, maxConcurrent),
    // Each URL may have another origin, so no limit of connections holds.
    countsBodies: true,
    isInternal: false,
    limits: {
      ...settings,
      attemptTimeout: timeout,
      maxConcurrent,
      maxResponse,
      maxWaiting: maxConcurrent,
      retries: 0,
      timeout
    },
    meters,
    name
  }
}

/** Returns the request that a redirect asks for; undefined if it is not followed. */
const redirected = (
  request: HttpClientRequest.HttpClientRequest,
  url: URL,
  { headers, status }: HttpClientResponse
): { readonly request: HttpClientRequest.HttpClientRequest; readonly url: URL } | undefined => {
  const { location } = headers
  if (!redirects.has(status) || location === undefined) return undefined
  // Another method would be sent again to a place that the app does not know.
  if (request.method !== "GET" && request.method !== "HEAD") return undefined
  const next = URL.parse(location, url.href)
  if (next === null) return undefined
  next.hash = ""
  const kept =
    next.origin === url.origin
      ? request.headers
      : Headers.fromRecordUnsafe(Struct.pick(request.headers, harmless))
  const { method } = request
  return {
    request: HttpClientRequest.makeWith(
      method,
      next.href,
      UrlParams.empty,
      Option.none(),
      kept,
      HttpBody.empty
    ),
    url: next
  }
}

/** Calls a URL, and those that it is redirected to. */
const follow = (
  calling: Calling,
  upstream: Upstream,
  settings: Settings["userUrls"],
  first: HttpClientRequest.HttpClientRequest
): Effect.Effect<HttpClientResponse, HttpClientError> =>
  Effect.gen(function* () {
    const time = yield* Call.timeOf(upstream)
    let request = first
    let url = Option.getOrUndefined(HttpClientRequest.toUrl(first))
    for (let count = 0; ; count++) {
      const fault = url === undefined ? "was refused: it is no URL." : faultOf(url, settings)
      if (url === undefined || fault !== undefined) {
        return yield* Effect.fail(refuse(upstream, request, "url", fault!))
      }
      const open = yield* Effect.catch(Call.attempts(calling, upstream, request, time), (error) => {
        const cause = "cause" in error.reason ? error.reason.cause : undefined
        if (cause instanceof LookupRefused) {
          return Effect.fail(refuse(upstream, request, "bulkhead", cause.message))
        }
        return Effect.fail(
          hasProperty(cause, "code") && unreachable.has(cause.code)
            ? refuse(upstream, request, "url", noAddress)
            : error
        )
      })
      const next = redirected(request, url, open.response)
      if (next === undefined) {
        return Call.limited(open, {
          idle: settings.timeout,
          isStreamBounded: true,
          maxBytes: settings.maxResponse,
          until: time.until,
          upstream: name
        })
      }
      yield* Call.discard(open)
      if (count >= settings.maxRedirects) {
        return yield* Effect.fail(
          refuse(
            upstream,
            request,
            "url",
            `was refused: the URL was redirected more than ${settings.maxRedirects} times.`
          )
        )
      }
      if (url.protocol === "https:" && next.url.protocol === "http:") {
        return yield* Effect.fail(
          refuse(upstream, request, "url", "was refused: https redirects to http.")
        )
      }
      ;({ request, url } = next)
    }
  })

/** Calls a URL of a user, and follows its redirects. */
export const call = (...options: Parameters<typeof follow>): ReturnType<typeof follow> =>
  during("outgoing call", follow(...options))
