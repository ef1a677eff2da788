/** The part of a listener that does not depend on it: the table of its routes, ready to serve. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { StandardErrors } from "../Contract/StandardErrors.ts"
import type * as Contribution from "../Plugin/Contribution.ts"
import type { AssemblyProblem } from "../Plugin/Errors.ts"
import type { Acquired, Step } from "../Plugin/Host.ts"
import type * as Plugin from "../Plugin/Plugin.ts"
import * as Codec from "./Codec/Codec.ts"
import * as Pipeline from "./Codec/Pipeline.ts"
import { Exchange } from "./Exchange/Exchange.ts"
import type { Serving } from "./Exchange/Serving.ts"
import type { Serve } from "./Exchange/Wire.ts"
import type { Listener } from "./Listener/Listener.ts"
import * as Conflicts from "./Route/Conflicts.ts"
import * as ContractMiddleware from "./Route/ContractMiddleware.ts"
import { UnfitHandlers } from "./Route/HandlerCheck.ts"
import type { Middleware } from "./Route/Middleware.ts"
import type { Form, RouteInfo } from "./Route/MiddlewareForm.ts"
import type { Route } from "./Route/Route.ts"
import * as RouteTable from "./Route/RouteTable.ts"
import type { PayloadOfEffect, Row } from "./Route/Rows.ts"
import type { Slot } from "./Route/Slots.ts"
import * as Stack from "./Route/Stack.ts"
import { bodyLimitOf } from "./RouteDescription.ts"
import type { ServerConfig } from "./ServerConfig.ts"

/** A route whose handler is built. */
export interface Mounted {
  readonly info: RouteInfo
  readonly row: Row
}

/** Slot middleware and the plugin that contributed it. */
export interface Owned {
  readonly middleware: Middleware<unknown, unknown>
  readonly plugin: Plugin.Any
}

/** Slot middleware that is built. */
export type Built = Form & { readonly slot: Slot }

/** The services of contracts that the server itself provides. */
const own = Context.make(StandardErrors, ContractMiddleware.errorsOnly)

/** Builds the routes of a plugin. Adds the handlers that do not fit their contract to `unfit`. */
export const mount = (
  { context, plugin }: Acquired,
  routes: ReadonlyArray<Route<unknown, unknown, Contribution.Contract>>,
  payloadOfEffect: PayloadOfEffect,
  unfit: Array<AssemblyProblem>
): Effect.Effect<ReadonlyArray<Mounted>, unknown, Scope.Scope> =>
  Effect.map(
    Effect.forEach(routes, (route) =>
      Effect.updateContext(
        route.rows(payloadOfEffect),
        // The plugin's scope must win over the app's.
        (scope: Context.Context<Scope.Scope>) =>
          Context.mergeAll(context, own, scope) as Context.Context<unknown>
      ).pipe(
        // The report has the problems of all groups.
        Effect.catch((error) => {
          if (!(error instanceof UnfitHandlers)) return Effect.fail(error)
          for (const message of error.messages) {
            unfit.push({ kind: "UnfitHandlers", message, plugins: [plugin.id] })
          }
          return Effect.succeed([])
        }),
        Effect.map((rows) => rows.map((row) => ({ info: infoOf(plugin, route.access, row), row })))
      )
    ),
    (mounted) => mounted.flat()
  )

/** Returns the problems of routes that take the same requests. */
export const conflicts = (mounted: ReadonlyArray<Mounted>): ReadonlyArray<AssemblyProblem> =>
  mounted
    // The table has the router's syntax, and a contract's path its own.
    .map(({ info }) => ({ ...info, path: info.endpoint?.path ?? info.path }))
    .flatMap(Conflicts.make())

/** Builds the middleware of plugins, each within the time limit of its plugin. */
export const build = (
  middlewares: ReadonlyArray<Owned>,
  context: Context.Context<unknown>,
  step: Step
): Effect.Effect<ReadonlyArray<Built>, unknown> =>
  Effect.forEach(middlewares, ({ middleware, plugin }) =>
    Effect.map(step(plugin)(Effect.provideContext(middleware.build, context)), (form) => ({
      ...form,
      slot: middleware.slot
    }))
  )

/** Returns the options of a listener that serves routes behind middleware. */
export const make = ({
  built,
  config,
  context,
  mounted,
  serving
}: {
  readonly built: ReadonlyArray<Built>
  readonly config: (typeof ServerConfig)["Service"]
  readonly context: Context.Context<unknown>
  readonly mounted: ReadonlyArray<Mounted>
  readonly serving: Serving
}): Parameters<Listener>[0] => {
  const provided = Context.merge(context, own)
  const entries = mounted.map(({ info, row }) => {
    const stack = Stack.make(info, built)
    if (stack.needsReply && row.handler?.isRaw === true) {
      throw new TypeError(
        `The handler of ${info.group}.${info.endpoint!.identifier} is one of handleRaw, which reads the request and answers it by itself, and a middleware of the route has to see both. Write a handler of values, or remove the annotation that asks for the middleware.`
      )
    }
    return {
      method: info.method,
      path: info.path,
      router: row.endpoint === undefined ? row.effect : undefined,
      value: Pipeline.make({
        bodyLimit: bodyLimitOf(row.endpoint, row.contract) ?? config.bodyLimit,
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
  serving.watch([...entries.map(({ value }) => value.plan), unmatched.plan])
  const table = RouteTable.make(entries, config)
  return {
    config,
    serve: serveWith(table, unmatched, serving),
    serving,
    upgrades: (method, target) => table.find(method, target).value?.plan.upgrades === true
  }
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
