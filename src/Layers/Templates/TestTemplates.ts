/** Templates in the memory of a test. */
import * as Layer from "effect/Layer"
import { make } from "./Make.ts"
import { memory } from "./Source.ts"
import type { TemplatesInvalid } from "./TemplateError.ts"
import { Templates } from "./Templates.ts"

/**
 * Creates a layer of templates in memory, by their names. Give it to a test, or to `replace` of
 * `TestApp.make` in the place of the plugin. It renders templates that are not listed anywhere.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import * as Templates from "flange/Templates"
 * import { TestTemplates } from "flange/Templates/Testing"
 *
 * const Total = Templates.make("total", { data: Schema.Struct({ total: Schema.Int }) })
 * const page = Effect.map(Templates.html(Total, { total: 7 }), ({ markup }) => markup)
 * const layer = TestTemplates.layer({ total: "<b><%= it.total %></b>" })
 * await Effect.runPromise(Effect.provide(page, layer)) // => "<b>7</b>"
 * ```
 */
export const layer = (
  templates: Readonly<Record<string, string>>
): Layer.Layer<Templates, TemplatesInvalid> =>
  Layer.effect(
    Templates,
    make({
      isReloaded: false,
      maxSize: 2 ** 23,
      sources: [memory(templates)],
      templates: undefined
    })
  )
