/** A page while it is rendered. The code of a template writes to it. */
import * as Thrown from "../../Config/Thrown.ts"
import { type Html, rendered } from "../../Contract/Markup.ts"
import type { Compiled } from "./Compiled.ts"
import * as Printer from "./Printer.ts"
import { TemplateError } from "./TemplateError.ts"

/** How deep templates may include each other, layouts counted. */
const maxDepth = 64

/** What all pages of an app share. */
export interface Rules {
  /** Returns a template by its name; undefined if there is none. */
  readonly find: (name: string) => Compiled | TemplateError | undefined
  /** The longest page, in characters. */
  readonly maxSize: number
  readonly print: Printer.Printer
}

type Blocks = ReadonlyMap<string, string>

interface Layout {
  readonly data: object | undefined
  readonly line: number | undefined
  readonly name: string
}

/** Returns the data of a template with more of it. Methods of a class stay. */
const extended = (data: unknown, more: object | undefined): unknown => {
  if (typeof data !== "object" || data === null) return { ...more }
  const prototype: unknown = Object.getPrototypeOf(data)
  return prototype === Object.prototype || typeof prototype !== "object"
    ? { ...data, ...more }
    : Object.assign(Object.create(prototype), data, more)
}

/** The output of one template. Its short names are those that the code of templates has. */
export class Page {
  line: number | undefined = undefined
  #blocks: Map<string, string> | undefined = undefined
  readonly #depth: number
  readonly #given: Blocks | undefined
  readonly #it: unknown
  #layout: Layout | undefined = undefined
  #res = ""
  readonly #rules: Rules

  constructor(it: unknown, rules: Rules, depth: number, given: Blocks | undefined) {
    this.#depth = depth
    this.#given = given
    this.#it = it
    this.#rules = rules
  }

  /** What the template has printed. Its code appends to it. */
  get res(): string {
    return this.#res
  }

  set res(text: string) {
    const { maxSize } = this.#rules
    if (text.length > maxSize) {
      throw new Printer.Unprintable(
        `the page has more than ${maxSize} characters. Print less, or raise templates.maxSize`
      )
    }
    this.#res = text
  }

  /** Prints in an attribute. */
  a(value: unknown): string {
    return this.#rules.print.attribute(value)
  }

  /** Prints in the attribute `style`. */
  c(value: unknown): string {
    return this.#rules.print.style(value)
  }

  /** Prints between tags. */
  e(value: unknown): string {
    return this.#rules.print.text(value)
  }

  /** Prints the name of an attribute. */
  n(value: unknown): string {
    return this.#rules.print.name(value)
  }

  /** Prints in an address, behind what was printed of it. `quote` is that of the attribute. */
  p(value: unknown, quote: string): string {
    const before = this.res.slice(this.res.lastIndexOf(quote) + 1)
    return this.#rules.print.address(value, before)
  }

  /** Prints markup. */
  r(value: unknown): string {
    return Printer.raw(value)
  }

  /** Prints in a script. */
  s(value: unknown): string {
    return this.#rules.print.script(value)
  }

  /** Prints an address. */
  u(value: unknown): string {
    return this.#rules.print.url(value)
  }

  /** Renders a template. Throws a `TemplateError`. */
  render(compiled: Compiled): string {
    try {
      compiled.run(
        this.#it,
        this,
        (name, content) => this.#block(name, content),
        (name, data) => this.#include(name, data),
        Printer.json,
        (name, data) => {
          this.#layout = { data, line: this.line, name }
        },
        (value) => {
          this.res += this.e(value)
        }
      )
      if (this.#layout === undefined) return this.res
      const { data, line, name } = this.#layout
      this.line = line
      const blocks = new Map([...(this.#given ?? []), ...(this.#blocks ?? [])])
      return this.#render(name, { body: rendered(this.res), ...data }, blocks)
    } catch (error) {
      if (error instanceof TemplateError) throw error
      const reason = Thrown.messageOf(error)
      throw new TemplateError({
        cause: error instanceof Printer.Unprintable ? undefined : error,
        line: this.line,
        reason: error instanceof Printer.Unprintable ? reason : `it has thrown: ${reason}`,
        template: compiled.name
      })
    }
  }

  #captured(content: () => void): string {
    const before = this.res
    this.res = ""
    try {
      content()
      return this.res
    } finally {
      this.res = before
    }
  }

  /** Defines a block in a template with a layout; prints it in the layout. */
  #block(name: string, content: (() => void) | undefined): Html {
    if (this.#layout !== undefined) {
      this.#blocks ??= new Map()
      if (content !== undefined) this.#blocks.set(name, this.#captured(content))
      return rendered("")
    }
    const given = this.#given?.get(name)
    return rendered(given ?? (content === undefined ? "" : this.#captured(content)))
  }

  #include(name: string, data: object | undefined): Html {
    return rendered(this.#render(name, data, this.#given))
  }

  #render(name: string, more: object | undefined, blocks: Blocks | undefined): string {
    const { find } = this.#rules
    const found = find(name)
    if (found === undefined) {
      throw new Printer.Unprintable(
        `there is no template ${JSON.stringify(name)}. Write its path from the directory of the templates, without the extension`
      )
    }
    if (found instanceof TemplateError) throw found
    if (this.#depth >= maxDepth) {
      throw new Printer.Unprintable(
        `templates include each other more than ${maxDepth} times. End the recursion with a condition`
      )
    }
    const line = this.line
    const page = new Page(extended(this.#it, more), this.#rules, this.#depth + 1, blocks)
    const text = page.render(found)
    this.line = line
    return text
  }
}
