/** Slot middleware: what plugins put around handlers, in the order of the slots. */
import * as Effect from "effect/Effect"
import * as Contribution from "../../Plugin/Contribution.ts"
import type { Before } from "../Exchange/Before.ts"
import type { Observe } from "../Exchange/Observers.ts"
import type { Transform } from "../Exchange/ReplyTransform.ts"
import type { TimeRule } from "../Exchange/TimeLimit.ts"
import type { Describe } from "./MiddlewareDescription.ts"
import type { AroundHandler, AroundReply, Form, RouteInfo, Wrap } from "./MiddlewareForm.ts"
import type { Slot } from "./Slots.ts"

export { type Before, type Incoming, pass } from "../Exchange/Before.ts"
export type { Observe, Observed } from "../Exchange/Observers.ts"
export type { Change, Finished, Transform } from "../Exchange/ReplyTransform.ts"
export type { TimeRule } from "../Exchange/TimeLimit.ts"
export type {
  Caching,
  Describe,
  Description,
  Idempotency,
  RateLimit
} from "./MiddlewareDescription.ts"
export type {
  AroundHandler,
  AroundReply,
  Form,
  InsideTransaction,
  Next,
  RouteInfo,
  ToReply,
  Wrap
} from "./MiddlewareForm.ts"
export { type Access, type Slot, slots, slotsOf } from "./Slots.ts"

/** Slot middleware, as a plugin contributes it. */
export interface Middleware<out E, out R> extends Contribution.Contribution<"middleware", E, R> {
  readonly build: Effect.Effect<Form, E, R>
  /** Undefined if the middleware does not describe itself. */
  readonly describe: Describe | undefined
  readonly slot: Slot
}

/** How middleware is built. `Made` is what it puts around one route. */
interface Options<Made, E, R> {
  /** Builds, once every plugin is acquired, the function that is called for each route at start. */
  readonly build: Effect.Effect<(route: RouteInfo) => Made | undefined, E, R>
  /** Returns what it does to a route, for `App.describe`. By default it runs on every route of its slot. */
  readonly describe?: Describe | undefined
}

const placed = <Made, E, R>(
  name: string,
  slot: Slot,
  { build, describe }: Options<Made, E, R>,
  toForm: (make: (route: RouteInfo) => Made | undefined) => Form
): Middleware<E, R> => ({
  ...Contribution.make<"middleware", E, R>("middleware", name),
  build: Effect.map(build, toForm),
  describe,
  slot
})

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
  options: Options<Wrap, E, R> & {
    /** The place in the order of the middleware. */
    readonly slot: Slot
  }
): Middleware<E, R> => placed(name, options.slot, options, (reply) => ({ reply }))

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
  options: Options<Before, E, R> & {
    /** The place in the order of the middleware. */
    readonly slot: Slot
  }
): Middleware<E, R> => placed(name, options.slot, options, (before) => ({ before }))

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
  options: Options<Readonly<Record<string, string>>, E, R>
): Middleware<E, R> => placed(name, "TransportSecurity", options, (headers) => ({ headers }))

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
  options: Options<Observe, E, R>
): Middleware<E, R> => placed(name, "Logging", options, (observe) => ({ observe }))

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
  options: Options<AroundHandler, E, R>
): Middleware<E, R> => placed(name, "Transaction", options, (handler) => ({ handler }))

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
  options: Options<AroundReply, E, R>
): Middleware<E, R> => placed(name, "Transaction", options, (around) => ({ around }))

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
  options: Options<TimeRule, E, R>
): Middleware<E, R> => placed(name, "TransportSecurity", options, (time) => ({ time }))

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
  options: Options<Transform, E, R>
): Middleware<E, R> => placed(name, "TransportSecurity", options, (transform) => ({ transform }))
