/**
 * Ports: listeners beside that of the app, each with routes and middleware of its own. The middleware of
 * the app does not run there, its contract does not have these routes, and its drain ends before theirs
 * begins.
 */
import * as Effect from "effect/Effect"
import * as Contribution from "../../Plugin/Contribution.ts"
import type { Middleware } from "./Middleware.ts"
import type { Route } from "./Route.ts"

/** Where a port listens. */
export interface Place {
  /** The address to listen on. */
  readonly host: string
  /** The number of the port, 0 for any free one. */
  readonly port: number
}

/** A port, as a plugin contributes it. */
export interface Port<out E = never, out R = never, out Declared = never> extends Contribution.Open<
  "port",
  undefined,
  void,
  E,
  R,
  Declared
> {
  readonly middleware: ReadonlyArray<Middleware<unknown, unknown>>
  readonly place: Effect.Effect<Place, never, unknown>
  readonly routes: ReadonlyArray<Route<unknown, unknown, Contribution.Contract>>
}

type AnyMiddleware = Contribution.Contribution<"middleware", unknown, unknown>

type AnyRoute = Contribution.Contribution<"route", unknown, unknown, Contribution.Contract, unknown>

/**
 * Creates a port, for the option `contributes` of a plugin. It is bound after every plugin is acquired
 * and before the listener of the app, and answers until the app and its plugins have drained. An app
 * without a socket, such as one in a test, does not bind it.
 *
 * `name` is the name of the configuration section with `host` and `port`: the error of a port that
 * cannot be bound names these keys.
 */
export const make = <
  const Name extends string,
  R,
  const Middlewares extends ReadonlyArray<AnyMiddleware>,
  const Routes extends ReadonlyArray<AnyRoute>
>(
  name: Name,
  {
    middleware,
    place,
    routes
  }: {
    /** Middleware that runs for each of its requests, also for those that no route takes. */
    readonly middleware: Middlewares
    /** Reads where it listens. */
    readonly place: Effect.Effect<Place, never, R>
    /** Its routes. They are built after every plugin is acquired. */
    readonly routes: Routes
  }
): Port<
  Contribution.Error<Middlewares> | Contribution.Error<Routes>,
  Contribution.Requires<Middlewares> | Contribution.Requires<Routes> | R,
  Contribution.Declared<Routes>
> =>
  // The contribution carries the types of its parts.
  ({
    ...Contribution.open(
      "port",
      name,
      undefined,
      () => Effect.void,
      routes.flatMap(({ requires }) => requires)
    ),
    middleware,
    place,
    routes
  }) as never

/** Checks whether a contribution is a port. */
export const isPort = (
  contribution: Contribution.Any
): contribution is Port<unknown, unknown, unknown> => contribution.kind === "port"
