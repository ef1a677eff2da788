/** The CORS headers of replies, and the answers to preflight requests. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Middleware from "../../Server/Route/Middleware.ts"
import type { CorsConfig } from "./CorsConfig.ts"

type Config = (typeof CorsConfig)["Service"]

type Fields = Readonly<Record<string, string>>

/** Returns the headers that are the same for every allowed origin. */
const shared = ({ credentials, exposedHeaders }: Config): Fields => ({
  ...(credentials ? { "access-control-allow-credentials": "true" } : {}),
  ...(exposedHeaders.length > 0
    ? { "access-control-expose-headers": exposedHeaders.join(", ") }
    : {})
})

/**
 * Returns the headers of every reply if all requests get the same ones: with one origin, or with
 * `*`. Returns `undefined` with no origin or with several. Constant headers need no `Vary`. Source:
 * Fetch, section "CORS protocol and HTTP caches".
 */
export const constant = (config: Config): Fields | undefined => {
  const [origin, ...more] = config.origins
  return origin === undefined || more.length > 0
    ? undefined
    : { "access-control-allow-origin": origin, ...shared(config) }
}

/**
 * Creates the step that allows the origin of a request if it is one of several allowed. It sets the
 * headers of every reply, whoever creates the reply.
 */
export const allowOrigin = (config: Config): Middleware.Before => {
  const origins = new Set(config.origins)
  const same = Object.entries(shared(config))
  return (request) => {
    const origin = request.header("origin")
    request.setHeader("vary", "Origin")
    if (origin !== undefined && origins.has(origin)) {
      request.setHeader("access-control-allow-origin", origin)
      for (const [name, value] of same) request.setHeader(name, value)
    }
    return Middleware.pass
  }
}

/**
 * Answers preflights with 204 and the allowed methods and headers. If the origin is not allowed,
 * the reply is 204 without them. An `OPTIONS` request that is not a preflight continues.
 */
export const preflight = (config: Config): Middleware.Before => {
  const origins = new Set(config.origins)
  const refused = Effect.succeed(HttpServerResponse.empty({ status: 204 }))
  const granted = Effect.succeed(
    HttpServerResponse.empty({
      headers: {
        "access-control-allow-methods": config.methods.join(", "),
        "access-control-max-age": String(Math.floor(Duration.toSeconds(config.maxAge))),
        ...(config.allowedHeaders.length > 0
          ? { "access-control-allow-headers": config.allowedHeaders.join(", ") }
          : {})
      },
      status: 204
    })
  )
  return (request) => {
    const origin = request.header("origin")
    return request.method !== "OPTIONS" ||
      origin === undefined ||
      request.header("access-control-request-method") === undefined
      ? Middleware.pass
      : origins.has("*") || origins.has(origin)
        ? granted
        : refused
  }
}
