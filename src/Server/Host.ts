/** Server's side of the boot engine: mounts routes, puts the slots around them, binds a listener. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Tracer from "effect/Tracer"
import type * as Contribution from "../Plugin/Contribution.ts"
import { AssemblyError } from "../Plugin/Errors.ts"
import type { Host } from "../Plugin/Lifecycle.ts"
import type * as Plugin from "../Plugin/Plugin.ts"
import * as CompiledLane from "./Codec/CompiledLane.ts"
import * as Exchange from "./Codec/GeneralLane.ts"
import * as Dispatch from "./Dispatch.ts"
import { type Before, inFrontOf } from "./Exchange/Before.ts"
import type { Listener } from "./Listener/Listener.ts"
import {
  type Around,
  type AroundHandler,
  type Form,
  type Middleware,
  type RouteInfo,
  type Slot,
  slots,
  slotsOf,
  type Wrap
} from "./Route/Middleware.ts"
import { isRoute } from "./Route/Route.ts"
import type { Row } from "./Route/Rows.ts"
import * as RouteTable from "./Route/Table.ts"
import { ServerConfig } from "./ServerConfig.ts"

interface Mounted {
  readonly info: RouteInfo
  readonly row: Row
}

/** A host over a listener. One host boots one app once. */
export const make = (
  app: string,
  listener: Listener,
  /** `false` executes every endpoint on the general lane; for tests that compare the two. */
  compile = true
): Host => {
  const mounted: Array<Mounted> = []
  const middlewares: Array<Middleware<unknown, unknown>> = []
  return {
    bind: (context) =>
      Effect.gen(function* () {
        const problems = RouteTable.conflicts(
          mounted.map(({ info }) => ({
            method: info.method,
            owner: `group "${info.group}"`,
            path: info.path,
            plugin: info.plugin
          }))
        )
        if (problems.length > 0) return yield* new AssemblyError({ app, problems })
        const config = Context.getUnsafe(context, ServerConfig)
        const built = yield* Effect.forEach(middlewares, ({ build, slot }) =>
          Effect.map(Effect.provideContext(build, context), (around) => ({ ...around, slot }))
        )
        for (const { info, row } of mounted) {
          if (row.runtime === undefined) continue
          for (const middleware of built.toReversed()) {
            if (!("handler" in middleware) || info.access.type === "bare") continue
            const around = middleware.handler(info)
            if (around !== undefined) row.runtime.around = composed(around, row.runtime.around)
          }
        }
        const arounds = (info: RouteInfo) => aroundOf(info, built)
        const services = Context.merge(yield* Effect.context<never>(), context)
        const compiles = compile && services.mapUnsafe.get(Tracer.Tracer.key) === undefined
        const table = RouteTable.make(
          mounted.map(({ info, row }) => {
            const around = arounds(info)
            const limit = Exchange.bodyLimitOf(row.endpoint, config.bodyLimit)
            const qualifies =
              compiles &&
              row.runtime !== undefined &&
              CompiledLane.obstacle(row.endpoint!) === undefined
            return {
              compiled: qualifies
                ? CompiledLane.compile({ bodyLimit: limit, context, info, row, around })
                : undefined,
              info,
              run: Exchange.runnable(row, info, around, limit)
            }
          })
        )
        const waiting = new Set<Fiber.Fiber<unknown, unknown>>()
        return yield* listener({
          config,
          context: services,
          dispatch: Dispatch.make(table, {
            ...Dispatch.clocksOf(services),
            context: services,
            waiting
          }),
          exchange: Exchange.make(table, Exchange.unmatched(nowhere, arounds(nowhere))),
          interrupt: Effect.suspend(() => Fiber.interruptAll(waiting))
        })
      }),
    check: RouteTable.declaredConflicts,
    config: [ServerConfig],
    mount: ({ context, plugin }) =>
      Effect.gen(function* () {
        middlewares.push(...plugin.manifest.middleware.filter(isMiddleware))
        for (const route of plugin.manifest.routes.filter(isRoute)) {
          const rows = yield* Effect.updateContext(
            route.rows,
            // The scope of the plugin stays; its services join it.
            (scope: Context.Context<never>) =>
              Context.merge(context, scope) as Context.Context<unknown>
          )
          mounted.push(...rows.map((row) => ({ info: infoOf(plugin, route.access, row), row })))
        }
      })
  } as Host
}

/** The routes of an app as data, before anything is acquired. Raw groups are known after boot only. */
export const describeRoutes = (
  plugins: ReadonlyArray<Plugin.Any>
): ReadonlyArray<RouteDescription> =>
  plugins.flatMap((plugin) =>
    plugin.manifest.routes.filter(isRoute).flatMap((route) =>
      route.declared.map(({ endpoint, method, path }) => {
        const obstacle = CompiledLane.obstacle(endpoint)
        return {
          access: route.access.type,
          chain: "chain" in route.access ? route.access.chain : undefined,
          group: route.name,
          lane: obstacle === undefined ? "compiled" : "general",
          laneReason: obstacle,
          method,
          path,
          plugin: plugin.id,
          slots: slotsOf(route.access)
        }
      })
    )
  )

/** One route as data. */
export interface RouteDescription {
  readonly access: "bare" | "optional" | "protected" | "public"
  /** The authentication chain of a protected or optional route. */
  readonly chain: string | undefined
  readonly group: string
  /** How the endpoint is executed. One whose handler reads the request itself is always general. */
  readonly lane: "compiled" | "general"
  /** Why it is on the general lane. */
  readonly laneReason: string | undefined
  readonly method: string
  readonly path: string
  readonly plugin: string
  /** The slots around it, outermost first. */
  readonly slots: ReadonlyArray<Slot>
}

/** What the slots of a route put around its replies. */
const aroundOf = (
  info: RouteInfo,
  built: ReadonlyArray<Form & { readonly slot: Slot }>
): Around => {
  const present = new Set<Slot>(slotsOf(info.access))
  const standing = slots.flatMap(({ name }) =>
    present.has(name) ? built.filter(({ slot }) => slot === name) : []
  )
  const stack = standing.flatMap(
    (form): ReadonlyArray<{ readonly before: Before | undefined; readonly wrap: Wrap }> =>
      "before" in form
        ? some(form.before(info)).map((before) => ({ before, wrap: inFrontOf(before) }))
        : some("reply" in form && form.reply(info)).map((wrap) => ({ before: undefined, wrap }))
  )
  const outer = stack.findIndex(({ before }) => before === undefined)
  const leading = outer === -1 ? stack.length : outer
  return {
    befores: stack.slice(0, leading).map(({ before }) => before!),
    headers: Object.assign(
      {},
      // The outer middleware's header stands.
      ...standing.map((form) => ("headers" in form ? form.headers(info) : undefined)).toReversed()
    ),
    observers: standing.flatMap((form) => some("observe" in form && form.observe(info))),
    // Inside of an effect all are effects.
    wraps: stack.slice(leading).map(({ wrap }) => wrap)
  }
}

const some = <A>(value: A | false | undefined): ReadonlyArray<A> =>
  value === undefined || value === false ? [] : [value]

const composed =
  (outer: AroundHandler, inner: AroundHandler | undefined): AroundHandler =>
  (handler) =>
    outer(inner === undefined ? handler : inner(handler))

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

const isMiddleware = (
  contribution: Contribution.Any
): contribution is Middleware<unknown, unknown> => contribution.kind === "middleware"
