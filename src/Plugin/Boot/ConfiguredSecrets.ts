/** The secrets that the configuration names, read before the plugins are acquired. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type * as Path from "effect/Path"
import { hasProperty } from "effect/Predicate"
import type * as Scope from "effect/Scope"
import * as Config from "../../Config/index.ts"
import type * as AppDefinition from "../AppDefinition.ts"
import type { ConfigSource } from "../ConfigSource.ts"
import type * as Plugin from "../Plugin.ts"
import { type ConfiguredSecret, Secrets } from "../Secrets.ts"
import * as Configure from "./Configure.ts"
import * as MissingService from "./MissingService.ts"
import * as Order from "./Order.ts"

const failed = (message: string) => Effect.fail({ message })

/** Returns one line about why the plugin that has the secrets could not be acquired. */
const reasonOf = (error: unknown): string => {
  if (error instanceof Config.ConfigError) {
    return error.problems.map(({ message }) => message).join(" ")
  }
  return hasProperty(error, "message") ? String(error.message) : String(error)
}

/**
 * Returns the function that reads secrets for the configuration. Its first call builds the layer of the
 * plugin that provides `Secrets`, and of those that this one requires. The memo map shares them with the
 * acquire phase. An app whose configuration names no secret builds nothing.
 */
export const reader = ({
  app,
  memoMap,
  plugins,
  source
}: {
  readonly app: Pick<AppDefinition.Any, "id">
  readonly memoMap: Layer.MemoMap
  readonly plugins: ReadonlyArray<Plugin.Any>
  readonly source: ConfigSource
}): Effect.Effect<Config.ReadSecret, never, FileSystem.FileSystem | Path.Path | Scope.Scope> =>
  Effect.gen(function* () {
    const files = yield* Effect.context<FileSystem.FileSystem | Path.Path>()
    const scope = yield* Effect.scope
    const opened = yield* Effect.cached(
      Effect.gen(function* () {
        const needed = Order.providing(plugins, [Secrets])
        if (needed.length === 0) {
          return yield* failed(
            `No plugin of "${app.id}" provides secrets: list Secrets.plugin of flange/Secrets, or write the value itself.`
          )
        }
        const sections = [...new Set(needed.flatMap(({ manifest }) => manifest.config))]
        const config = yield* Config.load(
          Configure.options(plugins, sections, source, () =>
            failed("The plugin that provides secrets cannot read its own configuration from them.")
          )
        )
        // Plugins add services of any type.
        let context = config.context as Context.Context<unknown>
        for (const plugin of needed) {
          const services = yield* Layer.buildWithMemoMap(
            plugin.manifest.layer,
            memoMap,
            scope
          ).pipe(Effect.provideContext(context), MissingService.named(app.id, plugin, plugins))
          context = Context.merge(context, services)
        }
        return Context.getUnsafe(context, Secrets)
      }).pipe(
        Effect.catch((error) => failed(reasonOf(error))),
        Effect.provideContext(files)
      )
    )
    return (name) => Effect.flatMap(opened, (secrets) => secrets.get(name))
  })

/** Returns the value of `ConfiguredSecret` for the keys whose values name secrets. */
export const live =
  (
    names: ReadonlyMap<string, string>,
    read: Config.ReadSecret
  ): (typeof ConfiguredSecret)["Service"] =>
  (key) => {
    const name = names.get(key)
    return name === undefined ? undefined : read(name)
  }
