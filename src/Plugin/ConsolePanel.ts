/**
 * Panels of the console: what a page that shows the running app displays for a plugin. A plugin
 * contributes them without knowing whether the app has a console.
 */
import * as Contribution from "./Contribution.ts"

/**
 * The page of a panel.
 *
 * - `html`: a fragment that does not change, without scripts
 * - `module`: the file of an ES module for browsers. It exports `render(element, data)`, which shows the
 *   data in an empty element and is called again for new data.
 */
export type Page = { readonly html: string } | { readonly module: URL }

/** A panel as data. */
export interface Description {
  /**
   * The path under the admin port that answers with the data as JSON: that of an `AdminRoute` with the
   * method GET.
   */
  readonly data: `/${string}`
  readonly page: Page
  /** The heading of the panel. */
  readonly title: string
}

/** The kind of panels: `AppRuntime.contributions(ConsolePanel.kind)` returns them. */
export const kind = Contribution.kind<Description>()("console")

/**
 * Creates a panel, for the option `contributes` of a plugin. Contribute the route of its data with
 * `AdminRoute.make`.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as HttpServerResponse from "effect/http/HttpServerResponse"
 * import { AdminRoute, App, ConsolePanel, Plugin } from "flange"
 *
 * const ShelfPlugin = Plugin.make("shop:shelf", {
 *   contributes: [
 *     AdminRoute.make(
 *       "shelf",
 *       { description: "Entries of the shelf", method: "GET", path: "/shelf" },
 *       Effect.succeed(HttpServerResponse.jsonUnsafe({ entries: 7 }))
 *     ),
 *     ConsolePanel.make("shelf", {
 *       data: "/shelf",
 *       page: { module: new URL("./shelfPanel.js", import.meta.url) },
 *       title: "Shelf"
 *     })
 *   ]
 * })
 * const [shelf] = App.describe(App.make("shop", [ShelfPlugin])).plugins
 * shelf?.contributions.map(({ kind, name }) => `${kind} ${name}`)
 * // => ["adminRoute shelf", "console shelf"]
 * ```
 */
export const make = <const Name extends string>(
  name: Name,
  description: Description
): Contribution.Open<"console", Description, void> => kind.make(name, description)
