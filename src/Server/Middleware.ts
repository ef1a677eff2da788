/** Slots: the named places in which plugins put middleware around handlers. */
import * as Effect from "effect/Effect"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Contribution from "../Plugin/Contribution.ts"

/**
 * The slots, outermost first, each with the reason why it stands before the next.
 */
export const slots = [
  {
    before:
      "A refused preflight or an oversized request is answered as such, and logged as the reply it got.",
    name: "TransportSecurity"
  },
  {
    before:
      "A failed authentication is a request like any other: it has an id, a span and an access line.",
    name: "Logging"
  },
  { before: "Limits are kept per caller, so the caller is known first.", name: "Authentication" },
  { before: "A refused request never opens a transaction.", name: "RateLimit" },
  {
    before: "What an app adds around its handlers takes part in their transaction.",
    name: "Transaction"
  },
  { before: "The handler.", name: "Custom" }
] as const

/** The name of a slot. */
export type Slot = (typeof slots)[number]["name"]

/** Who may reach a route, and which slots stand around it. */
export type Access =
  | { readonly chain: string; readonly type: "optional" }
  | { readonly chain: string; readonly type: "protected" }
  | { readonly type: "bare" }
  | { readonly type: "public" }

/** Which slots stand around the routes of a group. */
export const slotsOf = (access: Access): ReadonlyArray<Slot> => {
  switch (access.type) {
    case "bare":
      return []
    case "optional":
    case "protected":
      return slots.map(({ name }) => name)
    case "public":
      return ["TransportSecurity", "Logging", "Transaction", "Custom"]
  }
}

/** What a middleware knows of the route it is put around. */
export interface RouteInfo {
  readonly access: Access
  /** The contract, where the route has one. */
  readonly endpoint: HttpApiEndpoint.Top | undefined
  /** The group's identifier, or the name of a raw route. */
  readonly group: string
  /** Upper case; `*` for the replies to requests that no route takes. */
  readonly method: string
  /** The path template, such as `/v1/items/:id`; `*` where no route matched. */
  readonly path: string
  /** The plugin that contributed the route. */
  readonly plugin: string
}

/** A request on its way to its reply, from the inside of a slot. It never fails: errors are already replies. */
export type Next = Effect.Effect<HttpServerResponse, never, HttpServerRequest>

/** Puts something around `next`. */
export type Wrap = (next: Next) => Next

/**
 * Puts something around the handler itself, inside of everything that belongs to
 * the contract: it sees the handler's own value and failure, not a reply.
 */
export type AroundHandler = (
  handler: Effect.Effect<unknown, unknown, unknown>
) => Effect.Effect<unknown, unknown, unknown>

/** Slot middleware, as a plugin contributes it. */
export interface Middleware<out E, out R> extends Contribution.Contribution<"middleware", E, R> {
  /** Around the reply or around the handler; one of the two. */
  readonly build: Effect.Effect<
    | { readonly handler: (route: RouteInfo) => AroundHandler | undefined }
    | { readonly reply: (route: RouteInfo) => Wrap | undefined },
    E,
    R
  >
  readonly slot: Slot
}

/**
 * Makes slot middleware. `build` runs once, after every plugin is acquired; the
 * function it gives runs once for each route at start and says what to put
 * around that route, or `undefined` for nothing, which then costs nothing.
 *
 * In one slot the middlewares stand in plugin order, the first outermost.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as HttpServerResponse from "effect/http/HttpServerResponse"
 * import { Middleware, Plugin } from "flange"
 *
 * const PoweredBy = Plugin.make("app:powered-by", {
 *   middleware: [
 *     Middleware.make("powered-by", {
 *       build: Effect.succeed(() => (next) =>
 *         Effect.map(next, HttpServerResponse.setHeader("x-powered-by", "flange"))),
 *       slot: "Custom"
 *     })
 *   ]
 * })
 * PoweredBy.id // => "app:powered-by"
 * ```
 */
export const make = <E = never, R = never>(
  name: string,
  options: {
    readonly build: Effect.Effect<(route: RouteInfo) => Wrap | undefined, E, R>
    readonly slot: Slot
  }
): Middleware<E, R> => ({
  ...Contribution.make<"middleware", E, R>("middleware", name),
  build: Effect.map(options.build, (reply) => ({ reply })),
  slot: options.slot
})

/**
 * Makes middleware for the `Transaction` slot: it stands around the handler
 * itself, so that it sees the typed failure and not the reply made of it. A
 * route without a contract has no such handler and is left alone.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Middleware } from "flange"
 *
 * const spans = Middleware.aroundHandler("spans", {
 *   build: Effect.succeed((route) => (handler) => Effect.withSpan(handler, route.path))
 * })
 * spans.slot // => "Transaction"
 * ```
 */
export const aroundHandler = <E = never, R = never>(
  name: string,
  options: {
    readonly build: Effect.Effect<(route: RouteInfo) => AroundHandler | undefined, E, R>
  }
): Middleware<E, R> => ({
  ...Contribution.make<"middleware", E, R>("middleware", name),
  build: Effect.map(options.build, (handler) => ({ handler })),
  slot: "Transaction"
})
