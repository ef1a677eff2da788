/** The server in the boot engine: mounts routes, puts the slots around them, binds listeners. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { AppRuntime } from "../Plugin/AppRuntime.ts"
import { AssemblyError, type AssemblyProblem } from "../Plugin/Errors.ts"
import type { Host } from "../Plugin/Host.ts"
import type * as Plugin from "../Plugin/Plugin.ts"
import * as Role from "../Plugin/Role.ts"
import * as Codec from "./Codec/Codec.ts"
import * as Impossible from "./Codec/Impossible.ts"
import * as ImpossibleReply from "./Codec/ImpossibleReply.ts"
import * as Defaults from "./Defaults.ts"
import { Serving } from "./Exchange/Serving.ts"
import type { Listener } from "./Listener/Listener.ts"
import * as Workers from "./Listener/Workers/Workers.ts"
import * as Ports from "./Ports.ts"
import * as AccessCheck from "./Route/AccessCheck.ts"
import * as Conflicts from "./Route/Conflicts.ts"
import * as Declared from "./Route/Declared.ts"
import { AppRoutes } from "./Route/Description.ts"
import * as GroupNames from "./Route/GroupNames.ts"
import { isMiddleware } from "./Route/Middleware.ts"
import { isRoute } from "./Route/Route.ts"
import type { PayloadOfEffect } from "./Route/Rows.ts"
import * as RouteDescription from "./RouteDescription.ts"
import * as Served from "./Served.ts"
import { ServerConfig } from "./ServerConfig.ts"

/** Creates a host over a listener. Use it for one boot of one app. */
export const make = (
  app: string,
  listener: Listener,
  /**
   * Returns the payload that Effect decodes, for the endpoints that Effect's own handlers
   * serve.
   */
  payloadOfEffect: PayloadOfEffect = Defaults.codec === "effect"
    ? Codec.payloadOfEffect
    : Codec.payloadIfNeeded
): Host => {
  const mounted: Array<Served.Mounted> = []
  const unfit: Array<AssemblyProblem> = []
  const middlewares: Array<Served.Owned> = []
  const plugins: Array<Plugin.Any> = []
  return {
    bind: (context, step) =>
      Effect.gen(function* () {
        const problems = [...unfit, ...Served.conflicts(mounted)]
        if (problems.length > 0) return yield* new AssemblyError({ app, problems })
        const services = Context.merge(yield* Effect.context<never>(), context)
        const served = Served.make({
          built: yield* Served.build(middlewares, context, step),
          config: Context.getUnsafe(context, ServerConfig),
          context,
          mounted,
          serving: new Serving(services)
        })
        const { api } = Context.getUnsafe(context, AppRuntime)
        const role = Role.of(context)
        const routes = () => RouteDescription.describe(plugins, api, role)
        // An app whose port cannot be bound serves no request.
        const ports = yield* Ports.bind(Ports.of(plugins, role), {
          app,
          context: Context.add(context, AppRoutes, routes),
          listener,
          payloadOfEffect,
          services,
          step
        })
        const bound = yield* Effect.mapError(listener(served), (error) =>
          Ports.explained(error, ports)
        )
        return { ...bound, ports }
      }),
    check: (plugins) => [
      ...Declared.of(plugins).flatMap(Conflicts.make()),
      ...GroupNames.problems(plugins),
      ...AccessCheck.problems(plugins),
      ...Impossible.problems(plugins),
      ...ImpossibleReply.problems(plugins)
    ],
    config: [ServerConfig],
    mount: ({ context, plugin }) =>
      Effect.gen(function* () {
        const role = Role.of(context)
        const contributions = plugin.manifest.contributions.filter((contribution) =>
          Role.carriesOut(role, contribution)
        )
        middlewares.push(
          ...contributions.filter(isMiddleware).map((middleware) => ({ middleware, plugin }))
        )
        plugins.push(plugin)
        mounted.push(
          ...(yield* Served.mount(
            { context, plugin },
            contributions.filter(isRoute),
            payloadOfEffect,
            unfit
          ))
        )
      }),
    probe: (context, plugins) =>
      Workers.gate(
        context,
        plugins.length,
        Effect.andThen(
          Ports.probe(Ports.of(plugins, Role.of(context)), listener, context),
          listener.probe?.(Context.getUnsafe(context, ServerConfig)) ?? Effect.void
        )
      )
  } as Host
}
