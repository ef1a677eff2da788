/** Where templates come from. */
import * as Effect from "effect/Effect"
import * as Name from "./Name.ts"

/** The largest template, in bytes. */
export const maxBytes = 2 ** 20

/** The most templates of a source. */
export const maxFiles = 10_000

/** A template as its source has it. */
export interface File {
  readonly name: string
  /** The text, or why there is none. */
  readonly text: string | { readonly refused: string }
}

/** Where templates come from: `Templates.directory`, or `Templates.memory`. */
export interface Source {
  /** Describes the source in messages. */
  readonly description: string
  /** Reads all templates. Fails with a reason, and what to do. */
  readonly read: Effect.Effect<ReadonlyArray<File>, string>
  /** Returns a text that changes if a template changes; undefined if none can. */
  readonly version: Effect.Effect<string, string> | undefined
}

const textOf = (name: string, text: string): File["text"] => {
  const refused = Name.refusal(name)
  if (refused !== undefined) return { refused }
  return Buffer.byteLength(text) > maxBytes
    ? { refused: `it has more than ${maxBytes} bytes. Split it into partials` }
    : text
}

/**
 * Creates a source of templates in memory, by their names. It is for tests, and for apps of one file.
 *
 * @example
 * ```ts
 * import * as Templates from "flange/Templates"
 *
 * const source = Templates.memory({ "orders/order": "<p><%= it.customer %></p>" })
 * source.description // => "memory"
 * ```
 */
export const memory = (templates: Readonly<Record<string, string>>): Source => ({
  description: "memory",
  read: Effect.sync(() =>
    Object.entries(templates).map(([name, text]) => ({ name, text: textOf(name, text) }))
  ),
  version: undefined
})
