/** What is said to browsers: on every reply, and on the preflight that comes before a request. */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpEffect from "effect/http/HttpEffect"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Middleware from "../../Server/Middleware.ts"
import type { CorsConfig } from "./CorsConfig.ts"

type Config = (typeof CorsConfig)["Service"]

type Fields = Readonly<Record<string, string>>

/** What the pages of every allowed origin are told. */
const shared = ({ credentials, exposedHeaders }: Config): Fields => ({
  ...(credentials ? { "access-control-allow-credentials": "true" } : {}),
  ...(exposedHeaders.length > 0
    ? { "access-control-expose-headers": exposedHeaders.join(", ") }
    : {})
})

/**
 * The headers of every reply where they are the same for every request: none or
 * one origin, or all. No `Vary` then, because nothing varies. Source: Fetch,
 * section "CORS protocol and HTTP caches".
 */
export const constant = (config: Config): Fields | undefined => {
  const [origin, ...more] = config.origins
  return origin === undefined || more.length > 0
    ? undefined
    : { "access-control-allow-origin": origin, ...shared(config) }
}

/** Runs `f` with the request that the fiber serves. */
const withRequest = (f: (request: HttpServerRequest) => Middleware.Next): Middleware.Next =>
  Effect.withFiber((fiber) =>
    // Middleware runs in the fiber of a request.
    f(Context.getUnsafe(fiber.context as Context.Context<HttpServerRequest>, HttpServerRequest))
  )

const varying = (response: HttpServerResponse.HttpServerResponse): string => {
  const { vary } = response.headers
  if (vary === undefined) return "Origin"
  return /(?:^|,)\s*(?:origin|\*)\s*(?:,|$)/i.test(vary) ? vary : `${vary}, Origin`
}

/** Names the origin of the request on its reply, whoever makes that, if it is one of several allowed. */
export const byRequest = (config: Config): Middleware.Wrap => {
  const origins = new Set(config.origins)
  const same = shared(config)
  const handler: HttpEffect.PreResponseHandler = (request, response) => {
    const { origin } = request.headers
    const vary = varying(response)
    return Effect.succeed(
      HttpServerResponse.setHeaders(
        response,
        origin !== undefined && origins.has(origin)
          ? { ...same, "access-control-allow-origin": origin, vary }
          : { vary }
      )
    )
  }
  return (next) =>
    Effect.withFiber((fiber) => {
      HttpEffect.appendPreResponseHandlerUnsafe(fiber.context, handler)
      return next
    })
}

/**
 * Answers preflights with 204 and what is allowed; where the origin is not, with
 * 204 alone. An `OPTIONS` that is no preflight goes on.
 */
export const preflight = (config: Config): Middleware.Wrap => {
  const origins = new Set(config.origins)
  const refused = HttpServerResponse.empty({ status: 204 })
  const allowed = HttpServerResponse.empty({
    headers: {
      "access-control-allow-methods": config.methods.join(", "),
      "access-control-max-age": String(Math.floor(Duration.toSeconds(config.maxAge))),
      ...(config.allowedHeaders.length > 0
        ? { "access-control-allow-headers": config.allowedHeaders.join(", ") }
        : {})
    },
    status: 204
  })
  return (next) =>
    withRequest(({ headers, method }) => {
      const { origin } = headers
      return method !== "OPTIONS" ||
        origin === undefined ||
        headers["access-control-request-method"] === undefined
        ? next
        : Effect.succeed(origins.has("*") || origins.has(origin) ? allowed : refused)
    })
}
