/** Templates with the schema of their data. */
import type * as Schema from "effect/Schema"
import * as Name from "./Name.ts"

/** A template, and the schema of its data. */
export interface Template<out Data extends Schema.Top> {
  readonly data: Data
  /** The path of its file below the directory of the templates, without `.eta`. */
  readonly name: string
}

/**
 * Declares a template and the data that it takes. List it in `templates` of `Templates.plugin`, which
 * checks at start that there is such a template.
 *
 * `name` is the path of the file below the directory of the templates, without `.eta`.
 *
 * @example
 * ```ts
 * import * as Schema from "effect/Schema"
 * import * as Templates from "flange/Templates"
 *
 * const Order = Templates.make("orders/order", {
 *   data: Schema.Struct({ customer: Schema.String, total: Schema.Int })
 * })
 * Order.name // => "orders/order"
 * ```
 */
export const make = <Data extends Schema.Top>(
  name: string,
  options: {
    /** The schema of what `it` has in the template. */
    readonly data: Data
  }
): Template<Data> => {
  const refusal = Name.refusal(name)
  if (refusal !== undefined) throw new TypeError(`The template ${JSON.stringify(name)}: ${refusal}`)
  return { data: options.data, name }
}
