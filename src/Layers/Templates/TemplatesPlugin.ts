/** The battery as a plugin. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Config from "../../Config/index.ts"
import * as Plugin from "../../Plugin/Plugin.ts"
import * as PluginCheck from "../../Plugin/PluginCheck.ts"
import * as LocalPage from "./LocalPage.ts"
import { type AnyTemplate, make } from "./Make.ts"
import * as PayloadCheck from "./PayloadCheck.ts"
import type { Source } from "./Source.ts"
import { Templates } from "./Templates.ts"
import { TemplatesConfig } from "./TemplatesConfig.ts"

/**
 * Creates the plugin that provides `Templates`. It reads and compiles all templates when the app starts. If
 * one is missing or cannot be compiled, the app does not start, and one report has all problems.
 *
 * In the environment `local`, templates are read again when their files have changed, and a browser gets a
 * page that shows the line in which a template has failed.
 *
 * - config: section `templates`
 * - fails with `TemplatesInvalid` in its acquire phase
 *
 * @example
 * ```ts
 * import * as Schema from "effect/Schema"
 * import { App } from "flange"
 * import * as Templates from "flange/Templates"
 *
 * const Home = Templates.make("home", { data: Schema.Struct({ name: Schema.String }) })
 *
 * const Pages = Templates.plugin({
 *   sources: [Templates.memory({ home: "<h1>Hello, <%= it.name %></h1>" })],
 *   templates: [Home]
 * })
 * App.describe(App.make("shop", [Pages])).plugins[0]!.config // => ["templates"]
 * ```
 */
export const plugin = (options: {
  /**
   * Where the templates are: `Templates.directory(new URL("./templates", import.meta.url))`. Of several
   * sources that have a template, the first counts.
   */
  readonly sources: ReadonlyArray<Source>
  /** The templates that handlers render. Layouts and partials need not be listed. */
  readonly templates: ReadonlyArray<AnyTemplate>
}) =>
  Plugin.make("flange:templates", {
    config: [TemplatesConfig],
    contributes: [PluginCheck.kind.make("markup", PayloadCheck.check)],
    layer: Layer.effect(
      Templates,
      Effect.gen(function* () {
        const { maxSize } = yield* TemplatesConfig
        const isReloaded = (yield* Config.Environment) === "local"
        return yield* make({ ...options, isReloaded, maxSize })
      })
    ),
    middleware: [LocalPage.middleware],
    provides: [Templates]
  })
