/** Replacements: plugins or layers that a test uses instead of an app's own. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Section } from "../Config/index.ts"
import { nearest } from "../Config/Nearest.ts"
import * as Action from "../Plugin/Action.ts"
import type { AppRuntime } from "../Plugin/AppRuntime.ts"
import type * as Extension from "../Plugin/Extension.ts"
import * as Plugin from "../Plugin/Plugin.ts"
import { TestOptionsError } from "./TestOptionsError.ts"

type AnyLayer = Layer.Layer<never, any, any>

/**
 * A plugin of the app, or its id, and its replacement.
 *
 * - A plugin replaces all of the other plugin, routes included. It takes the id of the replaced
 *   plugin, so that other plugins keep their order relative to it. It must provide at least the
 *   same services.
 * - A layer replaces only the plugin's layer. The plugin's routes, actions and health checks stay,
 *   and run on the services of the new layer.
 */
export type Replacement = readonly [plugin: Plugin.Any | string, by: AnyLayer | Plugin.Any]

/** The services that a replacement provides. */
type Provided<By> = By extends Plugin.Any
  ? Plugin.Provides<By>
  : By extends Layer.Layer<infer P, infer _E, infer _R>
    ? P
    : never

/**
 * `true` if the compiler knows nothing about the replacements: there are none, or it has deferred
 * the type of a layer that is written inline.
 */
type Unseen<Rs extends ReadonlyArray<Replacement>> = [Replacement] extends [Rs[number]]
  ? true
  : false

/** The errors with which building the replacements may fail. */
export type Error<Rs extends ReadonlyArray<Replacement>> =
  Unseen<Rs> extends true ? never : Failure<Rs[number][1]>

type Failure<By> = By extends Plugin.Any
  ? Plugin.Error<By>
  : By extends Layer.Layer<infer _P, infer E, infer _R>
    ? E
    : never

/** The services that a replacement requires. */
type Required<By> = By extends Plugin.Any
  ? Plugin.Requires<By>
  : By extends Layer.Layer<infer _P, infer _E, infer R>
    ? R
    : never

type Named<S, Before extends string, After extends string> = [Plugin.NameOf<S>] extends [never]
  ? { readonly advice: `${Before} this service ${After}`; readonly service: S }
  : `${Before} ${Plugin.NameOf<S>} ${After}`

/** The plugin's actions and extension points stay if only its layer is replaced. */
type Stays<By, Services> = By extends Plugin.Any ? Services : Exclude<Services, Kept>

type Kept = Action.Implementation<string> | Extension.Point<string>

type Lacks<Replaced, By> = Replaced extends Plugin.Any
  ? Exclude<Stays<By, Plugin.Provides<Replaced>>, Provided<By>>
  : never

/** The sections that an app reads are known only at boot, so they are not checked here. */
type Unmet<By, Services> = Exclude<NotSection<Required<By>>, AppRuntime | Scope.Scope | Services>

type NotSection<R> = R extends Section<infer _Name, infer _A> ? never : R

/** The reason why a replacement does not fit; `never` if all fit. */
type Misfit<R, Services> = R extends readonly [infer Replaced, infer By]
  ? [Lacks<Replaced, By>] extends [never]
    ? [Unmet<By, Services>] extends [never]
      ? never
      : Named<Unmet<By, Services>, "The replacement requires", "which the app lacks">
    : Named<
        Lacks<Replaced, By>,
        "The replacement does not provide",
        "which the replaced plugin provides"
      >
  : never

/**
 * `unknown` if the replacements fit an app with `Services`; otherwise the message that the compiler
 * shows.
 */
export type Fit<Rs extends ReadonlyArray<Replacement>, Services> =
  Unseen<Rs> extends true
    ? unknown
    : [Misfit<Rs[number], Services>] extends [never]
      ? unknown
      : { readonly replace: Misfit<Rs[number], Services> }

const idOf = (plugin: Plugin.Any | string): string =>
  typeof plugin === "string" ? plugin : plugin.id

/** Returns every reason why the replacements do not fit the plugins. */
export const problems = (
  plugins: ReadonlyArray<Plugin.Any>,
  replacements: ReadonlyArray<Replacement>
): ReadonlyArray<string> => {
  const found: Array<string> = []
  const seen = new Set<string>()
  for (const [target, by] of replacements) {
    const id = idOf(target)
    const replaced = plugins.find((plugin) => plugin.id === id)
    if (replaced === undefined) {
      const ids = plugins.map((plugin) => plugin.id)
      const near = nearest(id, ids)
      found.push(
        `\`replace\` names plugin "${id}", which is not in the app. ${
          near === undefined ? `The app has ${ids.join(", ")}.` : `Did you mean "${near}"?`
        }`
      )
      continue
    }
    if (seen.has(id)) found.push(`\`replace\` names plugin "${id}" twice: keep one of the two.`)
    seen.add(id)
    if (!Plugin.isPlugin(by)) continue
    const keys = new Set(by.manifest.provides.map(({ key }) => key))
    const lacking = replaced.manifest.provides.filter(({ key }) => !keys.has(key))
    if (lacking.length > 0) {
      found.push(
        `\`replace\` replaces plugin "${id}" by "${by.id}", which does not provide ${lacking
          .map(({ key }) => key)
          .join(", ")}: list it in \`provides\` of "${by.id}".`
      )
    }
  }
  return found
}

/** Returns the plugins with the replacements applied. */
export const apply = (
  app: string,
  plugins: ReadonlyArray<Plugin.Any>,
  replacements: ReadonlyArray<Replacement>
): ReadonlyArray<Plugin.Any> =>
  plugins.map((plugin) => {
    const by = replacements.find(([target]) => idOf(target) === plugin.id)?.[1]
    if (by === undefined) return plugin
    if (Plugin.isPlugin(by)) return { ...by, id: plugin.id }
    const layer = providing(app, plugin, by)
    return { ...plugin, manifest: { ...plugin.manifest, layer } }
  })

/**
 * Returns the layer with a check that it provides the services of the plugin. The services of a
 * layer are known only when it is built.
 */
const providing = (
  app: string,
  { id, manifest }: Plugin.Any,
  layer: AnyLayer
): Layer.Layer<unknown, unknown, unknown> => {
  const kept = new Set<string>(
    [
      ...manifest.contributions.filter(Action.isImplemented).map(({ data }) => data),
      ...manifest.extensions
    ].map(({ key }) => key)
  )
  return Layer.flatMap(layer, (services) => {
    const lacking = manifest.provides.filter(
      ({ key }) => !kept.has(key) && !services.mapUnsafe.has(key)
    )
    return lacking.length === 0
      ? Layer.succeedContext(services)
      : Layer.effectContext(
          Effect.fail(
            new TestOptionsError({
              app,
              problems: [
                `\`replace\` gives plugin "${id}" a layer that does not provide ${lacking
                  .map(({ key }) => key)
                  .join(", ")}: add it to the layer.`
              ]
            })
          )
        )
  }) as unknown as Layer.Layer<unknown, unknown, unknown> // A manifest does not keep types.
}
