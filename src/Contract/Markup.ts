/** Markup: text that is sent as HTML without being escaped. */

/** The annotation by which the server finds markup in a contract. */
export const annotation = "flange/Contract/Markup"

// A JSON text has no symbols, so no data of a client is taken for markup.
const brand: unique symbol = Symbol.for("flange/Contract/Markup")

/** Markup that is sent as it is. Templates return it, and print it without escaping it. */
export interface Html {
  readonly [brand]: "rendered" | "trusted"
  /** The text. */
  readonly markup: string
  /** Returns the markup. */
  readonly toString: () => string
}

class Markup implements Html {
  readonly [brand]: "rendered" | "trusted"
  readonly markup: string

  constructor(markup: string, origin: "rendered" | "trusted") {
    this[brand] = origin
    this.markup = markup
  }

  toString(): string {
    return this.markup
  }
}

/** Whether a value is markup. */
export const isHtml = (value: unknown): value is Html =>
  typeof value === "object" && value !== null && brand in value

/** Whether markup is the output of a template, whose values were escaped for a place between tags. */
export const isRendered = (html: Html): boolean => html[brand] === "rendered"

/** Returns the output of a template as markup. */
export const rendered = (markup: string): Html => new Markup(markup, "rendered")

/** Returns a text as markup. */
export const trusted = (markup: string): Html => new Markup(markup, "trusted")
