/** Slots: the named places in which plugins put middleware around handlers. */
import * as Effect from "effect/Effect"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import type * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Contribution from "../../Plugin/Contribution.ts"
import type { Before } from "../Exchange/Before.ts"
import type { Observe } from "../Exchange/Observers.ts"
import type { Transform } from "../Exchange/ReplyTransform.ts"
import type { TimeRule } from "../Exchange/TimeLimit.ts"

export { type Before, type Incoming, pass } from "../Exchange/Before.ts"
export type { Observe, Observed } from "../Exchange/Observers.ts"
export type { Change, Finished, Transform } from "../Exchange/ReplyTransform.ts"
export type { TimeRule } from "../Exchange/TimeLimit.ts"

/**
 * The slots, outermost first, each with the reason why it comes before the next.
 */
export const slots = [
  {
    before:
      "Preflights are answered before any other slot runs; the access log still has a line for them.",
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

/** Who may call a route, and which slots it has. */
export type Access =
  | { readonly chain: string; readonly type: "optional" }
  | { readonly chain: string; readonly type: "protected" }
  | { readonly type: "bare" }
  | { readonly type: "public" }

/** Returns the slots of a group's routes, outermost first. */
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

/** A limit on the rate of requests to a route, as data. */
export interface RateLimit {
  /** Who has a count of their own: `address`, `caller`, or the name of an extractor. */
  readonly by: string
  /** How many requests one request of the route counts as. */
  readonly cost: number
  /** The name of the limit. Routes whose limits have one name share it. */
  readonly name: string
  /** Undefined if the configuration sets it. */
  readonly policy:
    | {
        readonly algorithm: "sliding-window" | "token-bucket"
        /** The most requests at once. */
        readonly burst: number
        /** Requests per `window`. */
        readonly limit: number
        /** In milliseconds. */
        readonly window: number
      }
    | undefined
}

/** How the replies of a route are cached, as data. */
export interface Caching {
  readonly sharing: "perIdentity" | "public"
  /** In milliseconds. */
  readonly ttl: number
  /** The headers of the request that select the reply, beside those of the contract. */
  readonly varyBy: ReadonlyArray<string>
}

/** How a route treats the keys of repeated requests, as data. */
export interface Idempotency {
  /** Whether each request needs a key. */
  readonly required: boolean
  /** In milliseconds; undefined if the configuration sets it. */
  readonly ttl: number | undefined
}

/** What a middleware does to a route, as data. `App.describe` shows it. */
export interface Description {
  /** How the replies are cached. */
  readonly cache?: Caching | undefined
  /** The errors that it may answer with; classes that `ApiError.make` creates are such errors. */
  readonly errors?: ReadonlyArray<{ readonly code: string; readonly status: number }> | undefined
  /** How the keys of repeated requests are treated. */
  readonly idempotency?: Idempotency | undefined
  /** The limits on the rate of requests. */
  readonly rateLimits?: ReadonlyArray<RateLimit> | undefined
  /** The longest time of the handler, in milliseconds. */
  readonly timeout?: number | undefined
  /** The transaction around the handler. */
  readonly transaction?: "read-only" | "read-write" | undefined
}

/**
 * Returns what a middleware does to a route; `undefined` if it does not run there. It is called
 * before anything is configured or acquired.
 */
export type Describe = (route: RouteInfo) => Description | undefined

/** Slot middleware, as a plugin contributes it. */
export interface Middleware<out E, out R> extends Contribution.Contribution<"middleware", E, R> {
  readonly build: Effect.Effect<Form, E, R>
  /** Undefined if the middleware does not describe itself. */
  readonly describe: Describe | undefined
  readonly slot: Slot
}

/** Whether a contribution is slot middleware. */
export const isMiddleware = (
  contribution: Contribution.Any
): contribution is Middleware<unknown, unknown> => contribution.kind === "middleware"

/**
 * Creates slot middleware around replies. `build` runs once, after every plugin is
 * acquired. The function that it returns runs once for each route, at start, and returns
 * what to put around that route, or `undefined` for nothing.
 *
 * In one slot the middlewares are in plugin order, the first outermost. Everything inside
 * it then runs as an effect. A check that only passes or answers a request is cheaper as
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
    /** Builds, once every plugin is acquired, the function that is called for each route at start. */
    readonly build: Effect.Effect<(route: RouteInfo) => Wrap | undefined, E, R>
    /** Returns what it does to a route, for `App.describe`. By default it runs on every route of its slot. */
    readonly describe?: Describe | undefined
    /** The place in the order of the middleware. */
    readonly slot: Slot
  }
): Middleware<E, R> => ({
  ...Contribution.make<"middleware", E, R>("middleware", name),
  build: Effect.map(options.build, (reply) => ({ reply })),
  describe: options.describe,
  slot: options.slot
})

/**
 * Creates middleware that decides before the handler. For each request it returns a reply,
 * or `Middleware.pass`. It can provide services to the handler and set headers of the
 * reply. If it does not have to wait, it costs a function call.
 *
 * An empty reply with a status of 400 or more becomes a problem document. If the function
 * throws or its effect dies, the reply is a 500.
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
    /** Builds, once every plugin is acquired, the function that is called for each route at start. */
    readonly build: Effect.Effect<(route: RouteInfo) => Before | undefined, E, R>
    /** Returns what it does to a route, for `App.describe`. By default it runs on every route of its slot. */
    readonly describe?: Describe | undefined
    /** The place in the order of the middleware. */
    readonly slot: Slot
  }
): Middleware<E, R> => ({
  ...Contribution.make<"middleware", E, R>("middleware", name),
  build: Effect.map(options.build, (before) => ({ before })),
  describe: options.describe,
  slot: options.slot
})

/**
 * Creates middleware that adds the same headers to every reply of a route, in the slot
 * `TransportSecurity`. The headers are prepared once, at start. A header that a handler
 * sets itself wins; `link`, `set-cookie`, `vary` and `www-authenticate` are lists, to which the
 * middleware adds.
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
    /** Builds, once every plugin is acquired, the function that is called for each route at start. */
    readonly build: Effect.Effect<
      (route: RouteInfo) => Readonly<Record<string, string>> | undefined,
      E,
      R
    >
    /** Returns what it does to a route, for `App.describe`. By default it runs on every route of its slot. */
    readonly describe?: Describe | undefined
  }
): Middleware<E, R> => ({
  ...Contribution.make<"middleware", E, R>("middleware", name),
  build: Effect.map(options.build, (headers) => ({ headers })),
  describe: options.describe,
  slot: "TransportSecurity"
})

/**
 * Creates middleware that runs for every reply and changes nothing, in the slot
 * `Logging`. It costs a function call.
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
  options: {
    /** Builds, once every plugin is acquired, the function that is called for each route at start. */
    readonly build: Effect.Effect<(route: RouteInfo) => Observe | undefined, E, R>
    /** Returns what it does to a route, for `App.describe`. By default it runs on every route of its slot. */
    readonly describe?: Describe | undefined
  }
): Middleware<E, R> => ({
  ...Contribution.make<"middleware", E, R>("middleware", name),
  build: Effect.map(options.build, (observe) => ({ observe })),
  describe: options.describe,
  slot: "Logging"
})

/**
 * Creates middleware around the handler itself, in the slot `Transaction`. It sees the
 * typed failure of the handler, not the reply. A route without a contract has no such
 * handler, so it does not run there.
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
    /** Builds, once every plugin is acquired, the function that is called for each route at start. */
    readonly build: Effect.Effect<(route: RouteInfo) => AroundHandler | undefined, E, R>
    /** Returns what it does to a route, for `App.describe`. By default it runs on every route of its slot. */
    readonly describe?: Describe | undefined
  }
): Middleware<E, R> => ({
  ...Contribution.make<"middleware", E, R>("middleware", name),
  build: Effect.map(options.build, (handler) => ({ handler })),
  describe: options.describe,
  slot: "Transaction"
})

/**
 * Creates middleware around the reply of the handler, in the slot `Transaction`: inside all middleware of
 * the contract, guards included, and outside of the transaction. So a request that it answers is
 * authenticated, counted and admitted, and opens no transaction.
 *
 * `before` is called for each request. If it returns a reply without waiting, the request needs no
 * fiber. Otherwise `wrap`, if there is one, runs as an effect.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as HttpServerResponse from "effect/http/HttpServerResponse"
 * import { Middleware } from "flange"
 *
 * const frozen = Effect.succeed(HttpServerResponse.text("closed"))
 * const holidays = Middleware.aroundReply("holidays", {
 *   build: Effect.succeed(() => ({
 *     before: (request) => (request.header("x-holiday") === "1" ? frozen : Middleware.pass),
 *     wrap: (next) => Effect.map(next, HttpServerResponse.setHeader("x-holiday", "0"))
 *   }))
 * })
 * holidays.slot // => "Transaction"
 * ```
 */
export const aroundReply = <E = never, R = never>(
  name: string,
  options: {
    /** Builds, once every plugin is acquired, the function that is called for each route at start. */
    readonly build: Effect.Effect<(route: RouteInfo) => AroundReply | undefined, E, R>
    /** Returns what it does to a route, for `App.describe`. By default it runs on every route of its slot. */
    readonly describe?: Describe | undefined
  }
): Middleware<E, R> => ({
  ...Contribution.make<"middleware", E, R>("middleware", name),
  build: Effect.map(options.build, (around) => ({ around })),
  describe: options.describe,
  slot: "Transaction"
})

/**
 * Creates middleware that limits the time of requests, in the slot `TransportSecurity`: what runs in any
 * slot is part of the time. The listener waits for the handler and watches the clock itself, so a handler
 * that does not wait needs no fiber. If several middlewares limit a route, the outermost counts.
 *
 * `Timeout.plugin` of `flange/Timeout` has one that is configured. A request that exceeds the limit is
 * interrupted and answered with 504.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Middleware } from "flange"
 *
 * const reports = Middleware.timeLimit("reports", {
 *   build: Effect.succeed((route) =>
 *     route.group === "reports"
 *       ? { exceeded: () => {}, idle: Infinity, limit: 60_000 }
 *       : undefined)
 * })
 * reports.slot // => "TransportSecurity"
 * ```
 */
export const timeLimit = <E = never, R = never>(
  name: string,
  options: {
    /** Builds, once every plugin is acquired, the function that is called for each route at start. */
    readonly build: Effect.Effect<(route: RouteInfo) => TimeRule | undefined, E, R>
    /** Returns what it does to a route, for `App.describe`. By default it runs on every route of its slot. */
    readonly describe?: Describe | undefined
  }
): Middleware<E, R> => ({
  ...Contribution.make<"middleware", E, R>("middleware", name),
  build: Effect.map(options.build, (time) => ({ time })),
  describe: options.describe,
  slot: "TransportSecurity"
})

/**
 * Creates middleware that changes finished replies just before they are sent, whatever made them, in
 * the slot `TransportSecurity`. It sees the bytes or the stream of the body and all headers, and does
 * not run for bare routes. A change that has not to be waited for costs a function call and no fiber.
 *
 * Of several, the outer one is the last to change a reply. It does not see `Content-Length`, which the
 * listener writes.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Middleware } from "flange"
 *
 * const noStore = Middleware.transform("no-store", {
 *   build: Effect.succeed(() => (_request, reply) =>
 *     reply.status >= 500 ? { set: ["cache-control", "no-store"] } : undefined)
 * })
 * noStore.slot // => "TransportSecurity"
 * ```
 */
export const transform = <E = never, R = never>(
  name: string,
  options: {
    /** Builds, once every plugin is acquired, the function that is called for each route at start. */
    readonly build: Effect.Effect<(route: RouteInfo) => Transform | undefined, E, R>
    /** Returns what it does to a route, for `App.describe`. By default it runs on every route of its slot. */
    readonly describe?: Describe | undefined
  }
): Middleware<E, R> => ({
  ...Contribution.make<"middleware", E, R>("middleware", name),
  build: Effect.map(options.build, (transform) => ({ transform })),
  describe: options.describe,
  slot: "TransportSecurity"
})
