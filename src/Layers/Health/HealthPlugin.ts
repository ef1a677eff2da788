/** The battery as a plugin. */
import { hostname } from "node:os"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import { RouteNotFound, ServiceUnavailable } from "../../Contract/Catalogue.ts"
import { AppRuntime } from "../../Plugin/AppRuntime.ts"
import * as HealthCheck from "../../Plugin/HealthCheck.ts"
import * as Plugin from "../../Plugin/Plugin.ts"
import * as Role from "../../Plugin/Role.ts"
import { version } from "../../Plugin/Version.ts"
import { CurrentWorker } from "../../Plugin/Worker.ts"
import * as Route from "../../Server/Route/Route.ts"
import { type Component, HealthApi, ProbesApi, type Report } from "./HealthApi.ts"
import { defaultPaths, HealthConfig } from "./HealthConfig.ts"
import { HealthMonitor } from "./HealthMonitor.ts"

/** Returns the JavaScript runtime and its version. Bun and Deno have a version of Node too. */
const runtimeName = (): string => {
  const { bun, deno, node } = process.versions
  if (bun !== undefined) return `bun ${bun}`
  return deno === undefined ? `node ${node}` : `deno ${deno}`
}

/**
 * The effects of the endpoints: the reply itself, and `here` at the path of the contract, which is
 * unknown if the configuration moves it.
 */
const replies = Effect.gen(function* () {
  const monitor = yield* HealthMonitor
  const runtime = yield* AppRuntime
  const config = yield* HealthConfig
  const { details = runtime.environment === "production" ? "off" : "public" } = config
  const reply = <A, E extends ServiceUnavailable>(name: Name, effect: Effect.Effect<A, E>) => {
    const path = config[`${name}Path`]
    const isMoved = path !== defaultPaths[`${name}Path`]
    const response = Effect.matchEffect(effect, {
      onFailure: (error) => HttpServerRespondable.toResponse(error),
      onSuccess: (body) => Effect.succeed(HttpServerResponse.jsonUnsafe(body))
    })
    // A failure would be logged as an error, at each probe of an app that starts, drains or has a
    // component down: those are logged once each, by who finds them.
    return { here: isMoved ? unknown : response, path: isMoved ? path : undefined, response }
  }
  const alive = Effect.succeed({ status: "alive" } as const)
  const ready = Effect.gen(function* () {
    if ((yield* runtime.status) !== "ready") return yield* new ServiceUnavailable()
    if (!isServing(yield* monitor.components)) return yield* new ServiceUnavailable()
    return { status: "ready" } as const
  })
  const healthcheck = Effect.gen(function* () {
    const components = yield* monitor.components
    if (details === "off") return { status: statusOf(components) }
    const now = yield* Clock.currentTimeMillis
    return { ...report(runtime, components, now), ...workersOf(yield* CurrentWorker) }
  })
  return {
    healthcheck: reply("healthcheck", healthcheck),
    healthz: reply("healthz", alive),
    livez: reply("livez", alive),
    readyz: reply("readyz", ready)
  }
})

type Name = "healthcheck" | "healthz" | "livez" | "readyz"

const unknown = HttpServerRespondable.toResponse(new RouteNotFound())

/** Returns the routes of the endpoints that the configuration moves. */
const moved = (names: ReadonlyArray<Name>) =>
  HttpRouter.use(
    Effect.fnUntraced(function* (router) {
      const all = yield* replies
      for (const name of names) {
        const { path, response } = all[name]
        if (path === undefined) continue
        // The section's schema has checked that it begins with a slash.
        yield* router.add("GET", path as `/${string}`, response)
      }
    })
  )

/**
 * `/livez`, `/healthz` and `/readyz` for orchestrators and load balancers,
 * `/healthcheck` for people and dashboards. In the environment `production`
 * `/healthcheck` tells the status alone, unless `health.details = "public"`.
 *
 * The health checks of plugins run in the background every `health.interval`; a request
 * reads the last results. Only a check of the class `critical` can turn readiness to 503,
 * after `failureThreshold` failures in a row. The section `health` can move the paths.
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
  layer: Layer.provideMerge(
    Layer.effect(
      HealthCheck.Components,
      HealthMonitor.useSync(({ components }) => components)
    ),
    HealthMonitor.layer
  ),
  provides: [HealthMonitor],
  ready: () => HealthMonitor.use(({ start }) => start),
  // Each process is asked how it is, whatever its role.
  routes: [
    Route.public(HealthApi, (handlers) =>
      Effect.map(replies, ({ healthcheck }) =>
        handlers.handleAll({ healthcheck: () => healthcheck.here })
      )
    ),
    Route.raw("health-moved", moved(["healthcheck"]), { access: "public" }),
    Route.bare(ProbesApi, (handlers) =>
      Effect.map(replies, ({ healthz, livez, readyz }) =>
        handlers.handleAll({
          healthz: () => healthz.here,
          livez: () => livez.here,
          readyz: () => readyz.here
        })
      )
    ),
    Route.raw("probes-moved", moved(["healthz", "livez", "readyz"]), { access: "bare" })
  ].map((route) => Role.assign(route, "all"))
})

/** A critical component that is down or not yet known does not take requests. */
const isServing = (components: ReadonlyArray<Component>) =>
  components.every(
    ({ class: kind, status }) => kind !== "critical" || status === "degraded" || status === "up"
  )

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
  ...(runtime.role === "all" ? {} : { role: runtime.role }),
  framework: `flange ${version}`,
  runtime: runtimeName(),
  hostname: hostname(),
  uptime: Math.max(0, Math.floor((now - runtime.startedAt) / 1000)),
  components
})

/** Returns the part of the report about workers, if there are several. */
const workersOf = (worker: (typeof CurrentWorker)["Service"]): Pick<Report, "worker" | "workers"> =>
  worker === undefined
    ? {}
    : {
        worker: worker.number,
        workers: worker
          .workers()
          .map(({ number, restarts, status }) => ({ number, status, restarts }))
      }

const statusOf = (components: ReadonlyArray<Component>): Report["status"] => {
  const ill = components.filter(({ status }) => status === "degraded" || status === "down")
  if (ill.some(({ class: kind, status }) => kind === "critical" && status === "down")) return "fail"
  return ill.length > 0 ? "degraded" : "pass"
}
