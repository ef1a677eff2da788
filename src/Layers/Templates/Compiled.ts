/** Compiled templates. */
import type { Mention } from "./Mentions.ts"

/** A template that can be rendered. */
export interface Compiled {
  /** The fields of `it` that its code reads. */
  readonly fields: ReadonlyArray<Mention>
  readonly name: string
  /** Writes to a `Page`. */
  readonly run: (it: unknown, page: object, ...functions: Functions) => void
  /** The templates that its code names. */
  readonly templates: ReadonlyArray<Mention>
}

/** The functions that templates call. */
type Functions = readonly [
  block: (name: string, content?: () => void) => unknown,
  include: (name: string, data?: object) => unknown,
  json: (value: unknown) => unknown,
  layout: (name: string, data?: object) => void,
  output: (text: unknown) => void
]
