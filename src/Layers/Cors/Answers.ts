/** The CORS headers of replies, and the answers to preflight requests. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { withoutBlanks } from "../../Server/Exchange/Semantics.ts"
import * as Middleware from "../../Server/Route/Middleware.ts"
import type { CorsConfig } from "./CorsConfig.ts"
import type { Origins } from "./Origins.ts"

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
 * Returns the headers of every reply. With one origin, or with `*`, all requests get the same ones, and
 * these need no `Vary`. Otherwise each reply depends on the origin, and the reply to a request without
 * one too. Source: Fetch, section "CORS protocol and HTTP caches".
 */
export const constant = (config: Config, origins: Origins): Fields | undefined => {
  if (origins.isEmpty) return undefined
  const { only } = origins
  return only === undefined
    ? { vary: "Origin" }
    : { "access-control-allow-origin": only, ...shared(config) }
}

/**
 * Creates the step that allows the origin of a request if it is one of several allowed. It sets the
 * headers of every reply, whoever creates the reply.
 */
export const allowOrigin = (config: Config, origins: Origins): Middleware.Before => {
  const same = Object.entries(shared(config))
  return (request) => {
    const origin = request.header("origin")
    if (origin !== undefined && origins.has(origin)) {
      request.setHeader("access-control-allow-origin", origin)
      for (const [name, value] of same) request.setHeader(name, value)
    }
    return Middleware.pass
  }
}

const requestedHeaders = "access-control-request-headers"
const requestedNetwork = "access-control-request-private-network"

/**
 * Answers preflights with 204 and the allowed methods and headers. If the origin is not allowed,
 * the reply is 204 without them. An `OPTIONS` request that is not a preflight continues.
 */
export const preflight = (config: Config, origins: Origins): Middleware.Before => {
  const { allowedHeaders, maxAge, methods, privateNetwork } = config
  const allowsAny = allowedHeaders.includes("*")
  const varying = [
    ...(allowsAny ? ["Access-Control-Request-Headers"] : []),
    ...(privateNetwork ? ["Access-Control-Request-Private-Network"] : [])
  ]
  const vary: Fields = varying.length === 0 ? {} : { vary: varying.join(", ") }
  const answer = (headers: Fields) =>
    Effect.succeed(HttpServerResponse.empty({ headers: { ...vary, ...headers }, status: 204 }))
  const same: Fields = {
    "access-control-allow-methods": methods.join(", "),
    "access-control-max-age": String(Math.floor(Duration.toSeconds(maxAge))),
    ...(allowsAny || allowedHeaders.length === 0
      ? {}
      : { "access-control-allow-headers": allowedHeaders.join(", ") })
  }
  const granted = answer(same)
  const refused = answer({})
  return (request) => {
    const origin = request.header("origin")
    if (
      request.method !== "OPTIONS" ||
      origin === undefined ||
      request.header("access-control-request-method") === undefined
    ) {
      return Middleware.pass
    }
    if (origins.only !== "*" && !origins.has(origin)) return refused
    const named = allowsAny ? namesIn(request.header(requestedHeaders)) : undefined
    const isPrivate = privateNetwork && request.header(requestedNetwork) === "true"
    return named === undefined && !isPrivate
      ? granted
      : answer({
          ...same,
          ...(named === undefined ? {} : { "access-control-allow-headers": named }),
          ...(isPrivate ? { "access-control-allow-private-network": "true" } : {})
        })
  }
}

/** Returns the header names of a list, without blanks; undefined if a name is not a token. */
const namesIn = (list: string | undefined): string | undefined => {
  const names = list?.split(",").map(withoutBlanks)
  return names?.every((name) => token.test(name)) === true ? names.join(", ") : undefined
}

const token = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/
