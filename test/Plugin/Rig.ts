/** Plugins that record their phases, and a host without a listener. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type * as Path from "effect/Path"
import type * as Scope from "effect/Scope"
import type * as Config from "../../src/Config/index.ts"
import { AppRuntime } from "../../src/Plugin/AppRuntime.ts"
import * as Boot from "../../src/Plugin/Boot/Boot.ts"
import type { AppBound, Host } from "../../src/Plugin/Host.ts"
import * as Plugin from "../../src/Plugin/Plugin.ts"

/** The service of every plugin of a rig. */
export interface Service {
  readonly id: string
}

/** Returns the key of the service of the plugin with this id. */
export const service = (id: string) =>
  Context.Service<Service, { readonly id: string }>(`test/${id}`)

/** The typed failure of a plugin. */
export class Broken extends Data.TaggedError("Broken")<{ readonly at: string }> {}

/** How an effect fails: with a typed failure or with a defect. */
export type Manner = "defect" | "failure"

/** Fails in the manner. */
export const end = (manner: Manner, at: string): Effect.Effect<never, Broken> =>
  manner === "failure" ? Effect.fail(new Broken({ at })) : Effect.die(new Error(`defect at ${at}`))

/** The options of one plugin. */
export interface Special {
  readonly config?: ReadonlyArray<Config.AnySection>
  readonly defaults?: Config.Defaults["values"]
  readonly drain?: Effect.Effect<void, unknown, AppRuntime>
  /** Runs in the layer, once the first resource was acquired. */
  readonly during?: Effect.Effect<void, Broken, AppRuntime | Scope.Scope>
  readonly ready?: Effect.Effect<void, Broken, AppRuntime>
  /** Runs in the finalizer of the first resource, before it counts as released. */
  readonly release?: Effect.Effect<void, never, AppRuntime>
  readonly requires?: ReadonlyArray<string>
  /** Runs in the layer, before anything was acquired. */
  readonly started?: Effect.Effect<void, Broken, AppRuntime | Scope.Scope>
  readonly startTimeout?: Plugin.Manifest["startTimeout"]
}

/** Creates a record of events, and a host and plugins that add to it. */
export const make = () => {
  const events: Array<string> = []
  const logs: Array<string> = []
  const note = (event: string) => Effect.sync(() => void events.push(event))
  /** Records the status of the app that it runs in. */
  const noteStatus = (event: string) =>
    AppRuntime.pipe(
      Effect.flatMap(({ status }) => status),
      Effect.flatMap((status) => note(`${event}: ${status}`))
    )

  const logger = Logger.make<unknown, void>(({ cause, logLevel, message }) => {
    logs.push([logLevel, ...[message].flat(), ...reasons(cause)].join(" "))
  })

  /** A plugin that acquires one resource and provides a service of its own name. */
  const plugin = (id: string, special: Special = {}) =>
    Plugin.make(id, {
      config: special.config ?? [],
      defaults: special.defaults,
      drain: special.drain ?? note(`drain ${id}`),
      layer: Layer.effect(
        service(id),
        Effect.gen(function* () {
          yield* special.started ?? Effect.void
          yield* Effect.acquireRelease(note(`acquire ${id}`), () =>
            Effect.andThen(special.release ?? Effect.void, note(`release ${id}`))
          )
          yield* special.during ?? Effect.void
          return { id }
        })
      ),
      provides: [service(id)],
      ready: () => Effect.andThen(special.ready ?? Effect.void, note(`ready ${id}`)),
      requires: (special.requires ?? []).map(service),
      startTimeout: special.startTimeout
    })

  /** Four plugins, each requiring the one before, listed in another order; `k` is special. */
  const four = (k = 0, special: Special = {}): ReadonlyArray<Plugin.Any> =>
    [3, 1, 4, 2].map((i) =>
      plugin(`p${i}`, {
        ...(i === k ? special : {}),
        requires: [...(i === 1 ? [] : [`p${i - 1}`]), ...(i === k ? (special.requires ?? []) : [])]
      })
    )

  const host = (special: Partial<AppBound> & Partial<Host> = {}) =>
    ({
      bind: () =>
        Effect.acquireRelease(
          Effect.as(note("bind"), {
            address: "http://rig",
            drain:
              special.drain ??
              (({ delay }) => note(`drain listener after ${Duration.format(delay)}`)),
            ports: special.ports ?? {}
          }),
          () => note("unbind")
        ),
      check: () => [],
      config: [],
      mount: () => Effect.void,
      probe: () => Effect.void,
      ...special
    }) satisfies Host

  /** Boots within the scope, with no files and no variables. */
  const boot = (
    plugins: ReadonlyArray<Plugin.Any>,
    options: { readonly host?: Host; readonly values?: object } = {}
  ): Effect.Effect<Boot.Running, unknown, Scope.Scope> =>
    Boot.boot({ id: "rig", plugins }, options.host ?? host(), {
      values: options.values ?? {},
      variables: {}
    }).pipe(Effect.provide(NodeServices.layer as Layer.Layer<FileSystem.FileSystem | Path.Path>))

  /** Sends the log of an effect to `logs`. */
  const logged = Effect.provide(Logger.layer([logger]))

  /** Boots and stops. Returns the exit. */
  const run = (
    plugins: ReadonlyArray<Plugin.Any>,
    options?: Parameters<typeof boot>[1]
  ): Effect.Effect<Exit.Exit<Boot.Running, unknown>> =>
    logged(Effect.exit(Effect.scoped(boot(plugins, options))))

  /** Returns the ids of the plugins with such an event, in the order of the events. */
  const idsOf = (kind: string) =>
    events.filter((event) => event.startsWith(`${kind} p`)).map((event) => event.split(" ")[1]!)

  return { boot, events, four, host, idsOf, logged, logs, note, noteStatus, plugin, run }
}

/** Returns the tag of a typed failure, or the message of a defect. */
export const outcome = (exit: Exit.Exit<unknown, unknown>): string => {
  if (Exit.isSuccess(exit)) return "success"
  const [reason] = exit.cause.reasons
  if (reason?._tag === "Fail") {
    return reason.error instanceof Broken
      ? `Broken at ${reason.error.at}`
      : (reason.error as { readonly _tag: string })._tag
  }
  return reason?._tag === "Die" ? (reason.defect as Error).message : "interrupted"
}

/** Returns the `AppRuntime` of a context. */
export const runtimeOf = (context: Context.Context<unknown>) =>
  Context.getUnsafe(context, AppRuntime)

/** Returns the ids of the first `count` plugins in reverse: `p4 p3 p2 p1`. */
export const reversed = (count: number): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, i) => `p${count - i}`)

const reasons = (cause: Cause.Cause<unknown>) =>
  Cause.prettyErrors(cause).map(({ message }) => message)
