/** The server in the boot engine: mounts routes, puts the slots around them, binds a listener. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { StandardErrors } from "../Contract/StandardErrors.ts"
import { AssemblyError, type AssemblyProblem } from "../Plugin/Errors.ts"
import type { Host } from "../Plugin/Host.ts"
import type * as Plugin from "../Plugin/Plugin.ts"
import * as Codec from "./Codec/Codec.ts"
import * as Impossible from "./Codec/Impossible.ts"
import * as ImpossibleReply from "./Codec/ImpossibleReply.ts"
import * as Pipeline from "./Codec/Pipeline.ts"
import * as Defaults from "./Defaults.ts"
import { Exchange } from "./Exchange/Exchange.ts"
import { Serving } from "./Exchange/Serving.ts"
import type { Serve } from "./Exchange/Wire.ts"
import type { Listener } from "./Listener/Listener.ts"
import * as AccessCheck from "./Route/AccessCheck.ts"
import * as Conflicts from "./Route/Conflicts.ts"
import * as ContractMiddleware from "./Route/ContractMiddleware.ts"
import * as Declared from "./Route/Declared.ts"
import * as GroupNames from "./Route/GroupNames.ts"
import { UnfitHandlers } from "./Route/HandlerCheck.ts"
import { isMiddleware, type Middleware, type RouteInfo } from "./Route/Middleware.ts"
import { isRoute } from "./Route/Route.ts"
import * as RouteTable from "./Route/RouteTable.ts"
import type { PayloadOfEffect, Row } from "./Route/Rows.ts"
import * as Stack from "./Route/Stack.ts"
import { bodyLimitOf } from "./RouteDescription.ts"
import { ServerConfig } from "./ServerConfig.ts"

interface Mounted {
  readonly info: RouteInfo
  readonly row: Row
}

/** The services of contracts that the server itself provides. */
const own = Context.make(StandardErrors, ContractMiddleware.errorsOnly)

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
  const mounted: Array<Mounted> = []
  const unfit: Array<AssemblyProblem> = []
  const middlewares: Array<{
    readonly middleware: Middleware<unknown, unknown>
    readonly plugin: Plugin.Any
  }> = []
  return {
    bind: (context, step) =>
      Effect.gen(function* () {
        const conflicts = mounted
          // The table has the router's syntax, and a contract's path its own.
          .map(({ info }) => ({ ...info, path: info.endpoint?.path ?? info.path }))
          .flatMap(Conflicts.make())
        const problems = [...unfit, ...conflicts]
        if (problems.length > 0) return yield* new AssemblyError({ app, problems })
        const config = Context.getUnsafe(context, ServerConfig)
        const built = yield* Effect.forEach(middlewares, ({ middleware, plugin }) =>
          Effect.map(step(plugin)(Effect.provideContext(middleware.build, context)), (form) => ({
            ...form,
            slot: middleware.slot
          }))
        )
        const services = Context.merge(yield* Effect.context<never>(), context)
        const provided = Context.merge(context, own)
        const entries = mounted.map(({ info, row }) => {
          const stack = Stack.make(info, built)
          return {
            method: info.method,
            path: info.path,
            router: row.endpoint === undefined ? row.effect : undefined,
            value: Pipeline.make({
              bodyLimit: (row.endpoint && bodyLimitOf(row.endpoint)) ?? config.bodyLimit,
              codec: Codec.make(row, stack.handler, config),
              info,
              stack,
              steps: Pipeline.contractSteps(row, provided)
            })
          }
        })
        const unmatched = Pipeline.make({
          bodyLimit: Number.MAX_SAFE_INTEGER,
          codec: Codec.unmatched,
          info: nowhere,
          stack: Stack.make(nowhere, built),
          steps: []
        })
        const serving = new Serving(services)
        serving.watch([...entries.map(({ value }) => value.plan), unmatched.plan])
        const table = RouteTable.make(entries, config)
        return yield* listener({
          config,
          serve: serveWith(table, unmatched, serving),
          serving,
          upgrades: (method, target) => table.find(method, target).value?.plan.upgrades === true
        })
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
        middlewares.push(
          ...plugin.manifest.contributions
            .filter(isMiddleware)
            .map((middleware) => ({ middleware, plugin }))
        )
        for (const route of plugin.manifest.contributions.filter(isRoute)) {
          const rows = yield* Effect.updateContext(
            route.rows(payloadOfEffect),
            // The plugin's scope must win over the app's.
            (scope: Context.Context<never>) =>
              Context.mergeAll(context, own, scope) as Context.Context<unknown>
          ).pipe(
            // The report has the problems of all groups.
            Effect.catch((error) => {
              if (!(error instanceof UnfitHandlers)) return Effect.fail(error)
              for (const message of error.messages) {
                unfit.push({ kind: "UnfitHandlers", message, plugins: [plugin.id] })
              }
              return Effect.succeed([])
            })
          )
          mounted.push(...rows.map((row) => ({ info: infoOf(plugin, route.access, row), row })))
        }
      }),
    probe: (context) => listener.probe?.(Context.getUnsafe(context, ServerConfig)) ?? Effect.void
  } as Host
}

/** Returns the function that finds the route of a request and serves it. */
const serveWith =
  (
    table: RouteTable.RouteTable<Pipeline.Pipeline>,
    unmatched: Pipeline.Pipeline,
    serving: Serving
  ): Serve =>
  (wire, references) => {
    const found = table.find(wire.method, wire.target)
    const { plan, serve } = found.value ?? unmatched
    const own = references === undefined ? serving : serving.extend(references)
    if (plan.isOpened) wire.load(() => serve(new Exchange(own, wire, plan, found)))
    else serve(new Exchange(own, wire, plan, found))
  }

const infoOf = (plugin: Plugin.Any, access: RouteInfo["access"], row: Row): RouteInfo => ({
  access,
  contract: row.contract,
  endpoint: row.endpoint,
  group: row.group,
  method: row.method,
  path: row.path,
  plugin: plugin.id
})

const nowhere: RouteInfo = {
  access: { type: "public" },
  contract: undefined,
  endpoint: undefined,
  group: "",
  method: "*",
  path: "*",
  plugin: ""
}
