/** The battery as a plugin. */
import { hostname } from "node:os"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { ServiceUnavailable } from "../../Contract/Catalogue.ts"
import { AppRuntime } from "../../Plugin/AppRuntime.ts"
import * as Plugin from "../../Plugin/Plugin.ts"
import * as Route from "../../Server/Route/Route.ts"
import { type Component, HealthApi, ProbesApi, type Report } from "./HealthApi.ts"
import { HealthConfig } from "./HealthConfig.ts"
import { HealthMonitor } from "./HealthMonitor.ts"

/**
 * `/livez`, `/healthz` and `/readyz` for orchestrators and load balancers,
 * `/healthcheck` for people and dashboards. In the environment `production`
 * `/healthcheck` tells the status alone, unless `health.details = "public"`.
 *
 * What plugins give as `health` is checked in the background every
 * `health.interval`; a request only reads what was found. Of the classes of
 * checks only `critical` flips readiness.
 *
 * @example
 * ```ts
 * import { App } from "flange"
 * import * as Health from "flange/Health"
 *
 * const web = App.toWebHandler(App.make("shop", [Health.plugin]))
 * const response = await web.handler(new Request("http://app/livez"))
 * await response.json() // => { status: "alive" }
 * await web.dispose()
 * ```
 */
export const plugin = Plugin.make("flange:health", {
  config: [HealthConfig],
  // Checks that run into the release of what they check would report it as down.
  drain: HealthMonitor.use(({ stop }) => stop),
  layer: HealthMonitor.layer,
  provides: [HealthMonitor],
  ready: () => HealthMonitor.use(({ start }) => start),
  routes: [
    Route.public(HealthApi, (handlers) =>
      Effect.gen(function* () {
        const monitor = yield* HealthMonitor
        const runtime = yield* AppRuntime
        const isProduction = runtime.environment === "production"
        const { details = isProduction ? "off" : "public" } = yield* HealthConfig
        return handlers.handleAll({
          healthcheck: () =>
            Effect.gen(function* () {
              const components = yield* monitor.components
              if (details === "off") return { status: statusOf(components) }
              const now = yield* Clock.currentTimeMillis
              return report(runtime, components, now)
            })
        })
      })
    ),
    Route.bare(ProbesApi, (handlers) =>
      Effect.gen(function* () {
        const monitor = yield* HealthMonitor
        const runtime = yield* AppRuntime
        const alive = Effect.succeed({ status: "alive" } as const)
        return handlers.handleAll({
          healthz: () => alive,
          livez: () => alive,
          readyz: () =>
            Effect.gen(function* () {
              if ((yield* runtime.status) !== "ready") return yield* new ServiceUnavailable()
              if (!isServing(yield* monitor.components)) return yield* new ServiceUnavailable()
              return { status: "ready" } as const
            })
        })
      })
    )
  ]
})

/** A critical component that is not known to be up does not take requests. */
const isServing = (components: ReadonlyArray<Component>) =>
  components.every((component) => component.class !== "critical" || component.status === "up")

const report = (
  runtime: (typeof AppRuntime)["Service"],
  components: ReadonlyArray<Component>,
  now: number
): Report => ({
  status: statusOf(components),
  name: runtime.name,
  version: runtime.version,
  ...(runtime.buildDate === undefined ? {} : { buildDate: runtime.buildDate }),
  ...(runtime.commit === undefined ? {} : { commit: runtime.commit }),
  hostname: hostname(),
  uptime: Math.max(0, Math.floor((now - runtime.startedAt) / 1000)),
  components
})

const statusOf = (components: ReadonlyArray<Component>): Report["status"] => {
  const down = components.filter(({ status }) => status === "down")
  if (down.some((component) => component.class === "critical")) return "fail"
  return down.length > 0 ? "degraded" : "pass"
}
