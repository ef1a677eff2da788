/** The forms of slot middleware: what a plugin puts around a route. */
import type * as Effect from "effect/Effect"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import type * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import type { Before } from "../Exchange/Before.ts"
import type { Observe } from "../Exchange/Observers.ts"
import type { Transform } from "../Exchange/ReplyTransform.ts"
import type { TimeRule } from "../Exchange/TimeLimit.ts"
import type { Access } from "./Slots.ts"

/** The route that a middleware is built for. */
export interface RouteInfo {
  readonly access: Access
  /** The contract of the group, with its annotations; undefined for a raw route. */
  readonly contract: HttpApiGroup.Top | undefined
  /** The contract of the endpoint; undefined for a raw route. */
  readonly endpoint: HttpApiEndpoint.Top | undefined
  /** The group's identifier, or the name of a raw route. */
  readonly group: string
  /** The method in upper case; `*` for requests that no route takes. */
  readonly method: string
  /** The path template, such as `/v1/items/:id`; `*` for requests that no route takes. */
  readonly path: string
  /** The plugin that contributed the route. */
  readonly plugin: string
}

/**
 * Everything inside a slot middleware, as an effect that returns the reply. It never fails:
 * errors are replies already.
 */
export type Next = Effect.Effect<HttpServerResponse, never, HttpServerRequest>

/** Returns an effect around `next`. */
export type Wrap = (next: Next) => Next

/**
 * Returns an effect around the handler itself, inside all middleware of the contract. It
 * sees the handler's own value and failure, not a reply.
 */
export type AroundHandler = (
  handler: Effect.Effect<unknown, unknown, unknown>
) => Effect.Effect<unknown, unknown, unknown>

/** Returns the reply to a value that a handler returned. A value that does not fit is a defect. */
export type ToReply = (value: unknown) => Effect.Effect<HttpServerResponse>

/**
 * Returns an effect around the handler itself, inside its transaction. It may return the reply in
 * place of the value, so that what depends on the reply is committed together with the handler's
 * writes. It runs again if the transaction is retried.
 */
export type InsideTransaction = (
  handler: Effect.Effect<unknown, unknown, unknown>,
  toReply: ToReply
) => Effect.Effect<unknown, unknown, unknown>

/** A check in front of the handler, and functions around its reply. */
export interface AroundReply {
  readonly before: Before
  /**
   * Runs around the handler, inside everything else. A route with a handler that reads the request
   * itself (`handleRaw`) cannot have it.
   */
  readonly inside?: InsideTransaction | undefined
  /** Runs if `before` lets the request continue. Without it the request needs no fiber. */
  readonly wrap?: Wrap | undefined
}

/** What a middleware does; each form has its own key. */
export type Form =
  | { readonly around: (route: RouteInfo) => AroundReply | undefined }
  | { readonly before: (route: RouteInfo) => Before | undefined }
  | { readonly handler: (route: RouteInfo) => AroundHandler | undefined }
  | { readonly headers: (route: RouteInfo) => Readonly<Record<string, string>> | undefined }
  | { readonly observe: (route: RouteInfo) => Observe | undefined }
  | { readonly reply: (route: RouteInfo) => Wrap | undefined }
  | { readonly time: (route: RouteInfo) => TimeRule | undefined }
  | { readonly transform: (route: RouteInfo) => Transform | undefined }
