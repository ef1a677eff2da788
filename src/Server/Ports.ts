/** Serves the ports that plugins contribute, each on a listener of its own. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { AssemblyError, type AssemblyProblem, BindError } from "../Plugin/Errors.ts"
import type { Bound, Step } from "../Plugin/Host.ts"
import type * as Plugin from "../Plugin/Plugin.ts"
import * as Role from "../Plugin/Role.ts"
import { Sampling } from "./Exchange/ServerSpan.ts"
import { OpenExchanges, Serving } from "./Exchange/Serving.ts"
import type { Listener } from "./Listener/Listener.ts"
import { isPort, type Port } from "./Route/Port.ts"
import type { PayloadOfEffect } from "./Route/Rows.ts"
import * as Served from "./Served.ts"
import { ServerConfig } from "./ServerConfig.ts"

/** A port and the plugin that contributed it. */
interface Owned {
  readonly plugin: Plugin.Any
  readonly port: Port<unknown, unknown, unknown>
}

/** Returns the ports of plugins that a process of the role serves. */
export const of = (
  plugins: ReadonlyArray<Plugin.Any>,
  role: "all" | Role.Role = "all"
): ReadonlyArray<Owned> =>
  plugins.flatMap((plugin) =>
    plugin.manifest.contributions
      .filter(isPort)
      .filter((port) => Role.carriesOut(role, port))
      .map((port) => ({ plugin, port }))
  )

/**
 * Returns the rules of the server, with the place of a port. A proxied listener and TLS are for the app
 * only: who may reach a port is decided by its address.
 */
const configOf = ({ port }: Owned, context: Context.Context<unknown>) =>
  Effect.map(Effect.provideContext(port.place, context), (place) => {
    const { tls: _, ...rules } = Context.getUnsafe(context, ServerConfig)
    return { ...rules, ...place, listener: "node" as const }
  })

const named = ({ port }: Owned) =>
  Effect.mapError(
    (error: BindError) =>
      new BindError({
        address: error.address,
        cause: error.cause,
        code: error.code,
        section: port.name
      })
  )

/** Fails with `BindError` if a port could not be bound now. */
export const probe = (
  ports: ReadonlyArray<Owned>,
  listener: Listener,
  context: Context.Context<unknown>
): Effect.Effect<void, BindError> =>
  Effect.forEach(
    ports,
    (owned) => {
      const check = listener.port?.(owned.port.name).probe
      return check === undefined
        ? Effect.void
        : Effect.flatMap(configOf(owned, context), check).pipe(named(owned))
    },
    { discard: true }
  )

/** Builds the routes and the middleware of the ports, and binds them. */
export const bind = (
  ports: ReadonlyArray<Owned>,
  {
    app,
    context,
    listener,
    payloadOfEffect,
    services,
    step
  }: {
    readonly app: string
    /** The services of the app. */
    readonly context: Context.Context<unknown>
    readonly listener: Listener
    readonly payloadOfEffect: PayloadOfEffect
    /** The services of the app and of the fiber that boots it. */
    readonly services: Context.Context<unknown>
    readonly step: Step
  }
): Effect.Effect<Readonly<Record<string, Bound>>, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const { port: listenerOf } = listener
    if (listenerOf === undefined) return {}
    const all = yield* Effect.forEach(ports, (owned) =>
      Effect.gen(function* () {
        const { plugin, port } = owned
        const unfit: Array<AssemblyProblem> = []
        const mounted = yield* step(plugin)(
          Served.mount({ context, plugin }, port.routes, payloadOfEffect, unfit)
        )
        const problems = [...unfit, ...Served.conflicts(mounted)]
        if (problems.length > 0) return yield* new AssemblyError({ app, problems })
        const middlewares = port.middleware.map((middleware) => ({ middleware, plugin }))
        const served = Served.make({
          built: yield* Served.build(middlewares, context, step),
          config: yield* configOf(owned, context),
          context,
          mounted,
          serving: servingOf(Context.merge(services, context))
        })
        return [port.name, yield* listenerOf(port.name)(served).pipe(named(owned))] as const
      })
    )
    return Object.fromEntries(all)
  })

/** The hosts of addresses that take a port on every address of the machine. */
const wildcards: ReadonlySet<string> = new Set(["0.0.0.0", "[::]", "localhost"])

/** Returns the error of the app's listener, with the port of the app that has taken its address. */
export const explained = (error: BindError, ports: Readonly<Record<string, Bound>>): BindError => {
  const wanted = URL.parse(error.address)
  const held = Object.entries(ports).find(([, bound]) => {
    const taken = URL.parse(bound.address ?? "")
    if (wanted === null || taken === null || wanted.port !== taken.port) return false
    const hosts = [taken.hostname, wanted.hostname]
    return hosts[0] === hosts[1] || hosts.some((host) => wildcards.has(host))
  })
  const { address, cause, code } = error
  return held === undefined ? error : new BindError({ address, cause, code, heldBy: held[0] })
}

/**
 * Returns the state of the exchanges of a port: the drain of the app does not wait for them, they have
 * no spans, and their errors are problem documents in every app.
 */
const servingOf = (services: Context.Context<unknown>) =>
  new Serving(
    services.pipe(
      Context.add(OpenExchanges, OpenExchanges.make()),
      Context.add(Sampling, () => false)
    ),
    { envelope: undefined }
  )
