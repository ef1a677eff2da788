/** Slots: the named places in which plugins put middleware around handlers. */
import * as Effect from "effect/Effect"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import type * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Contribution from "../../Plugin/Contribution.ts"
import type { Before } from "../Exchange/Before.ts"
import type { Observe } from "../Exchange/Observers.ts"

export { type Before, type Incoming, pass } from "../Exchange/Before.ts"
export type { Observe, Observed } from "../Exchange/Observers.ts"

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
      return slots.flatMap(({ name }) => (name === "Authentication" ? [] : [name]))
  }
}

/** What a middleware knows of the route it is put around. */
export interface RouteInfo {
  readonly access: Access
  /** The contract of the group, where the route has one; its annotations are there. */
  readonly contract: HttpApiGroup.Top | undefined
  /** The contract of the endpoint, where the route has one. */
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

/** What a middleware does, by the form it was made in. */
export type Form =
  | { readonly before: (route: RouteInfo) => Before | undefined }
  | { readonly handler: (route: RouteInfo) => AroundHandler | undefined }
  | { readonly headers: (route: RouteInfo) => Readonly<Record<string, string>> | undefined }
  | { readonly observe: (route: RouteInfo) => Observe | undefined }
  | { readonly reply: (route: RouteInfo) => Wrap | undefined }

/** Slot middleware, as a plugin contributes it. */
export interface Middleware<out E, out R> extends Contribution.Contribution<"middleware", E, R> {
  readonly build: Effect.Effect<Form, E, R>
  readonly slot: Slot
}

/**
 * Makes slot middleware. `build` runs once, after every plugin is acquired; the
 * function it gives runs once for each route at start and says what to put
 * around that route, or `undefined` for nothing, which then costs nothing.
 *
 * In one slot the middlewares stand in plugin order, the first outermost. All that
 * is inside becomes an effect: what lets a request pass or answers it is cheaper as
 * `Middleware.before`.
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
 * Makes middleware that decides before the handler: for each request it gives a
 * reply, or `Middleware.pass`. It can give services to what runs inside, and set
 * headers of the reply. Where it need not wait it costs a function call.
 *
 * An empty reply with a status of 400 or more becomes a problem document. What it
 * throws or dies of is answered with 500.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as HttpServerResponse from "effect/http/HttpServerResponse"
 * import { Middleware } from "flange"
 *
 * const gone = Effect.succeed(HttpServerResponse.empty({ status: 410 }))
 * const retired = Middleware.before("retired", {
 *   build: Effect.succeed(() => (request) =>
 *     request.header("x-api-version") === "1" ? gone : Middleware.pass),
 *   slot: "Custom"
 * })
 * retired.slot // => "Custom"
 * ```
 */
export const before = <E = never, R = never>(
  name: string,
  options: {
    readonly build: Effect.Effect<(route: RouteInfo) => Before | undefined, E, R>
    readonly slot: Slot
  }
): Middleware<E, R> => ({
  ...Contribution.make<"middleware", E, R>("middleware", name),
  build: Effect.map(options.build, (before) => ({ before })),
  slot: options.slot
})

/**
 * Makes middleware that adds the same headers to every reply of a route, in the
 * slot `TransportSecurity`. They are put together once, at start. A header that a
 * handler sets itself stays.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Middleware } from "flange"
 *
 * const noSniff = Middleware.headers("no-sniff", {
 *   build: Effect.succeed(() => ({ "x-content-type-options": "nosniff" }))
 * })
 * noSniff.slot // => "TransportSecurity"
 * ```
 */
export const headers = <E = never, R = never>(
  name: string,
  options: {
    readonly build: Effect.Effect<
      (route: RouteInfo) => Readonly<Record<string, string>> | undefined,
      E,
      R
    >
  }
): Middleware<E, R> => ({
  ...Contribution.make<"middleware", E, R>("middleware", name),
  build: Effect.map(options.build, (headers) => ({ headers })),
  slot: "TransportSecurity"
})

/**
 * Makes middleware that is told of every reply, in the slot `Logging`. It costs a
 * function call.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Middleware } from "flange"
 *
 * let failures = 0
 * const count = Middleware.observe("failures", {
 *   build: Effect.succeed(() => (_request, status) => {
 *     if (status >= 500) failures++
 *   })
 * })
 * count.slot // => "Logging"
 * ```
 */
export const observe = <E = never, R = never>(
  name: string,
  options: { readonly build: Effect.Effect<(route: RouteInfo) => Observe | undefined, E, R> }
): Middleware<E, R> => ({
  ...Contribution.make<"middleware", E, R>("middleware", name),
  build: Effect.map(options.build, (observe) => ({ observe })),
  slot: "Logging"
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
