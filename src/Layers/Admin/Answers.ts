/** The answers of the admin port. */
import { hostname } from "node:os"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import { AdminDrainRefused } from "../../Contract/AdminErrors.ts"
import * as AdminRoute from "../../Plugin/AdminRoute.ts"
import { AppRuntime, type AppRuntimeShape } from "../../Plugin/AppRuntime.ts"
import * as ConsolePanel from "../../Plugin/ConsolePanel.ts"
import * as HealthCheck from "../../Plugin/HealthCheck.ts"
import { Shutdown } from "../../Plugin/Shutdown.ts"
import { version } from "../../Plugin/Version.ts"
import { AppRoutes } from "../../Server/Route/Description.ts"
import { AdminGroup } from "./Contract.ts"
import { changes } from "./Gate.ts"
import * as RunAction from "./RunAction.ts"

const id = "flange:admin"

// Every group is a `Top`.
const contract = AdminGroup as unknown as HttpApiGroup.Top

/** Returns every route of the admin port: those of its contract, and those that plugins contribute. */
export const routesOf = ({ contributions }: AppRuntimeShape) =>
  [
    ...Object.values(contract.endpoints).map(({ annotations, method, path }) => ({
      changes: changes(method),
      description:
        Context.getOrUndefined(annotations as Context.Context<OpenApi.Summary>, OpenApi.Summary) ??
        "",
      method: method as string,
      path: path as string,
      plugin: id
    })),
    ...contributions(AdminRoute.kind).map(({ data, plugin }) => ({ ...data, plugin }))
  ].sort((a, b) => (a.path === b.path ? 0 : a.path < b.path ? -1 : 1))

/** The effects of the endpoints. */
export const make = Effect.map(AppRuntime, (runtime) => ({
  actions: () => Effect.sync(() => RunAction.list(runtime)),
  config: () => runtime.configuration,
  drain: () =>
    Effect.gen(function* () {
      const shutdown = yield* Shutdown
      if (shutdown === undefined) return yield* new AdminDrainRefused()
      yield* shutdown
      return { status: "draining" as const }
    }),
  health: () =>
    Effect.gen(function* () {
      const components = yield* HealthCheck.Components
      return {
        components: components === undefined ? [] : yield* components,
        monitored: components !== undefined,
        status: yield* runtime.status
      }
    }),
  index: () => Effect.sync(() => routesOf(runtime)),
  info: () =>
    Effect.gen(function* () {
      const { buildDate, commit, environment, id, name, startedAt, status } = runtime
      const now = yield* Clock.currentTimeMillis
      return {
        buildDate,
        commit,
        environment,
        flange: version,
        hostname: hostname(),
        id,
        name,
        node: process.versions.node,
        pid: process.pid,
        startedAt: new Date(startedAt).toISOString(),
        status: yield* status,
        uptime: Math.max(0, Math.floor((now - startedAt) / 1000)),
        version: runtime.version
      }
    }),
  panels: () =>
    Effect.sync(() =>
      runtime
        .contributions(ConsolePanel.kind)
        .map(({ data: { data, title }, name, plugin }) => ({ data, name, plugin, title }))
    ),
  plugins: () =>
    Effect.map(runtime.bootTree, (boot) => ({
      boot,
      plugins: runtime.description.plugins.map(
        ({ config, contributions, id, provides, requires }) => ({
          config,
          contributions: contributions.map(({ kind, name, roles }) => ({ kind, name, roles })),
          id,
          provides,
          requires
        })
      )
    })),
  routes: () => Effect.map(AppRoutes, (describe) => describe()),
  runAction: ({
    params,
    payload
  }: {
    readonly params: { readonly name: string }
    readonly payload: { readonly payload?: unknown }
  }) => RunAction.run(runtime, params.name, payload.payload ?? null)
}))
