/**
 * Middleware of a contract that decides before the handler. It is an `HttpApiMiddleware`
 * function with its check in a property, so that the server can run the check without an
 * effect. A function that wraps it loses the property and runs as an effect.
 */
import type * as Effect from "effect/Effect"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import type * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import type { Before } from "../Exchange/Before.ts"
import * as BeforeEffect from "../Exchange/BeforeEffect.ts"

/** The endpoint that middleware of a contract runs around, with its group. */
export interface EndpointInGroup {
  readonly endpoint: HttpApiEndpoint.Top
  readonly group: HttpApiGroup.Top
}

const typeId = "~flange/ContractMiddleware"

/**
 * Returns the check of an endpoint; undefined if it needs no check. Runs once for each
 * endpoint, at start.
 */
export type Make = (options: EndpointInGroup) => Before | undefined

/** An `HttpApiMiddleware` function that also has its check as a `Before`. */
export interface ContractMiddleware {
  <E, R>(
    next: Effect.Effect<HttpServerResponse, E, R>,
    options: EndpointInGroup
  ): Effect.Effect<HttpServerResponse, E, HttpServerRequest | R>
  readonly [typeId]: Make
}

/** Creates the service of contract middleware from its check. */
export const make = (make: Make): ContractMiddleware => {
  const wrap = <E, R>(
    next: Effect.Effect<HttpServerResponse, E, R>,
    options: EndpointInGroup
  ): Effect.Effect<HttpServerResponse, E, HttpServerRequest | R> => {
    const before = make(options)
    return before === undefined ? next : BeforeEffect.run(before)(next)
  }
  return Object.assign(wrap, { [typeId]: make } as const)
}

/** The service of middleware that only declares errors, which other code produces. */
export const errorsOnly: ContractMiddleware = make(() => undefined)

/** Returns the check of a service; undefined for a service that `make` did not create. */
export const beforeOf = (service: object): Make | undefined =>
  typeId in service ? (service as ContractMiddleware)[typeId] : undefined
