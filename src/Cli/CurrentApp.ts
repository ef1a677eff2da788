/** The services of the app that the command line found. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as Console from "effect/Console"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Tree from "../Config/Tree.ts"
import type * as AppDefinition from "../Plugin/AppDefinition.ts"
import type { AppRuntime } from "../Plugin/AppRuntime.ts"
import * as Boot from "../Plugin/Boot/Boot.ts"
import { CommandError, type CurrentAppShape } from "../Plugin/Cli.ts"
import type { ConfigSource } from "../Plugin/ConfigSource.ts"
import * as Host from "../Server/Host.ts"
import * as ConfiguredListener from "../Server/Listener/ConfiguredListener.ts"
import { sentenceOf } from "./Failure.ts"
import * as Output from "./Output.ts"

const files = Layer.merge(NodeFileSystem.layer, NodePath.layer)

/** Returns the sources of the configuration of an app that is run by the command line. */
export const sourceOf = (app: AppDefinition.Any): ConfigSource => ({
  envFiles: true,
  variables: process.env,
  ...app.config
})

/** Creates the service `Cli.CurrentApp`. */
export const make = (app: AppDefinition.Any): CurrentAppShape => ({
  app,
  run: <A, E, R>(
    effect: Effect.Effect<A, E, AppRuntime | R>,
    options: {
      readonly overrides?: object | undefined
      readonly requires?: ReadonlyArray<Context.Key<any, any>>
    } = {}
  ) =>
    Effect.gen(function* () {
      const provided = new Set(
        app.plugins.flatMap(({ manifest }) => manifest.provides.map(({ key }) => key))
      )
      const missing = options.requires?.find(({ key }) => !provided.has(key))
      if (missing !== undefined) {
        return yield* new CommandError({
          exitCode: 1,
          reason: `No plugin of the app "${app.id}" provides ${missing.key}: add one that does`
        })
      }
      yield* Console.error(`Starting "${app.id}" without a listener`)
      const source = {
        ...sourceOf(app),
        // A command takes no part in a cluster: it would carry out workflows while it runs.
        overrides: merged(app.config.overrides, { app: { role: "server" } }, options.overrides)
      }
      const host = Host.make(app.id, ConfiguredListener.listen)
      const services = yield* Boot.acquireOnly(app, host, source, options.requires).pipe(
        Effect.provide(files),
        Effect.mapError(
          (cause) => new CommandError({ cause, exitCode: 1, reason: sentenceOf(cause) })
        )
      )
      // The services of the plugins that provide `requires`.
      return yield* Effect.provideContext(effect, services as Context.Context<AppRuntime | R>)
    }).pipe(Effect.scoped, Output.diverted)
})

/** Merges values of the configuration; later ones win. */
export const merged = (...values: ReadonlyArray<object | undefined>): object =>
  Tree.mergeAll(values.map((each) => Tree.tree(Object.entries(each ?? {}))))
