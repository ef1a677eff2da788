/** The role of a process, which decides which contributions of its app it carries out. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { nearest } from "../Config/Nearest.ts"
import { AppConfig } from "./AppConfig.ts"

/**
 * What a contribution belongs to: `server` serves requests, `worker` takes jobs of queues and carries out
 * workflows, `scheduler` starts jobs when they are due.
 */
export type Role = "scheduler" | "server" | "worker"

/** The part of a contribution that says where it is carried out. `Contribution.ts` imports this file. */
interface Assignable {
  readonly kind: string
  readonly name: string
  readonly roles: ReadonlyArray<Role> | undefined
}

/** The roles in the order of their names. */
export const roles: ReadonlyArray<Role> = ["scheduler", "server", "worker"]

/** Returns the role of the process whose services these are: `app.role`, by default `all`. */
export const of = (services: Context.Context<never>): "all" | Role =>
  // Every app has this section. A service of a battery that a test builds alone has none.
  Context.getOrUndefined(services, AppConfig)?.role ?? "all"

/**
 * Returns whether this process has the role: `app.role`, variable `FLANGE_ROLE`, names it or is `all`, the
 * default.
 */
export const has = (role: Role): Effect.Effect<boolean> =>
  Effect.contextWith((services: Context.Context<never>) => {
    const own = of(services)
    return Effect.succeed(own === "all" || own === role)
  })

/** Returns whether a process of the role carries out the contribution. */
export const carriesOut = (own: "all" | Role, contribution: Assignable): boolean =>
  own === "all" || contribution.roles === undefined || contribution.roles.includes(own)

/**
 * Returns the contribution for the processes of these roles, or of all of them with `all`. A process of
 * another role neither builds it nor serves it.
 *
 * A route group belongs to `server` and a contribution of any other kind to all roles, unless its kind was
 * declared for some: the workers of queues and workflows belong to `worker`, the schedules of jobs to
 * `scheduler`, and an app that takes them away from it is refused. Throws a `TypeError` if there is no such role.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
 * import { App, Plugin, Role, Route } from "flange"
 * import { TestApp } from "flange/Testing"
 *
 * const LagApi = HttpApiGroup.make("lag").add(HttpApiEndpoint.get("read", "/lag"))
 * const Lag = Plugin.make("shop:lag", {
 *   routes: [
 *     Role.assign(
 *       Route.public(LagApi, (handlers) => handlers.handleAll({ read: () => Effect.void })),
 *       "worker"
 *     )
 *   ]
 * })
 *
 * const statusIn = (role: Role.Role) =>
 *   Effect.gen(function* () {
 *     const app = yield* TestApp.make(App.make("shop", [Lag]), { config: { app: { role } } })
 *     return (yield* app.get("/lag")).status
 *   })
 * await Effect.runPromise(Effect.scoped(Effect.all([statusIn("server"), statusIn("worker")]))) // => [404, 204]
 * ```
 */
export const assign = <C extends Assignable>(
  contribution: C,
  ...to: readonly ["all"] | readonly [Role, ...ReadonlyArray<Role>]
): C => {
  for (const role of to) {
    if (role === "all" || roles.includes(role)) continue
    const near = nearest(role, roles)
    throw new TypeError(
      `The ${contribution.kind} "${contribution.name}" is assigned to the role "${role}", which does not exist. ${
        near === undefined ? "" : `Did you mean "${near}"? `
      }The roles are ${roles.join(", ")}; "all" alone names all of them.`
    )
  }
  return {
    ...contribution,
    // `all` stands alone: the signature refuses it beside others.
    roles: to[0] === "all" ? undefined : roles.filter((role) => to.some((each) => each === role))
  }
}
