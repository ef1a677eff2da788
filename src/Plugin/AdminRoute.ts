/**
 * Routes of the admin port. A plugin contributes them without knowing whether the app has such a port:
 * the Admin battery serves them, and without it they cost nothing.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as HttpRouter from "effect/http/HttpRouter"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Contribution from "./Contribution.ts"

/** A route of the admin port as data. */
export interface Description {
  /**
   * Whether it changes something: true for every method but GET. The Admin battery audits a change, and
   * refuses one that a page of another site sends.
   */
  readonly changes: boolean
  /**
   * What it answers, or what it does, in a few words without a full stop: `Log levels of callers`,
   * `Removes the log levels that were set`.
   */
  readonly description: string
  readonly method: Method
  /** The path under the admin port, in the syntax of the router: `/log-levels/:module`. */
  readonly path: `/${string}`
}

/** A method that a route of the admin port may have. */
export type Method = "DELETE" | "GET" | "PATCH" | "POST" | "PUT"

/**
 * The effect that answers a request. It reads the request from `HttpServerRequest` and the parameters of
 * its path with `HttpRouter.params`. A failure with an `ApiError` is answered with its problem document,
 * one with a `SchemaError`, as of `HttpServerRequest.schemaBodyJson`, with 400, and any other with 500.
 */
export type Handler<R = never> = Effect.Effect<
  HttpServerResponse.HttpServerResponse,
  unknown,
  HttpRouter.Provided | R
>

/** The kind of these routes: `AppRuntime.contributions(AdminRoute.kind)` returns them. */
export const kind = Contribution.kind<Description, Handler>()("adminRoute")

/**
 * Creates a route of the admin port, for the option `contributes` of a plugin. Its handler may use the
 * services of the app. The Admin battery answers it behind its own rules: the token or the chain of the
 * port, and for every method but GET the check against other sites and the audit.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as HttpServerResponse from "effect/http/HttpServerResponse"
 * import { AdminRoute, App, Plugin } from "flange"
 *
 * let entries = 7
 * const ShelfPlugin = Plugin.make("shop:shelf", {
 *   contributes: [
 *     AdminRoute.make(
 *       "clear-shelf",
 *       { description: "Forgets all entries of the shelf", method: "DELETE", path: "/shelf" },
 *       Effect.sync(() => {
 *         entries = 0
 *         return HttpServerResponse.empty()
 *       })
 *     )
 *   ]
 * })
 * const [shelf] = App.describe(App.make("shop", [ShelfPlugin])).plugins
 * shelf?.contributions.map(({ kind, name }) => `${kind} ${name}`) // => ["adminRoute clear-shelf"]
 * ```
 */
export const make = <const Name extends string, E, R>(
  name: Name,
  { description, method, path }: Omit<Description, "changes">,
  handler: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
): Contribution.Open<
  "adminRoute",
  Description,
  Handler,
  never,
  Exclude<R, HttpRouter.Provided>
> => {
  type Services = Exclude<R, HttpRouter.Provided>
  return Contribution.open(
    kind.name,
    name,
    { changes: method !== "GET", description, method, path },
    (services: Context.Context<Services>) =>
      Effect.succeed(
        Effect.updateContext(
          handler,
          // What a request provides is the rest of `R`.
          (request: Context.Context<HttpRouter.Provided>) =>
            Context.merge(services, request) as Context.Context<R>
        )
      )
  )
}
