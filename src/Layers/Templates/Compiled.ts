/** Compiled templates. */

/** Another template that a template names by a literal. */
export interface Reference {
  readonly line: number
  readonly name: string
}

/** A template that can be rendered. */
export interface Compiled {
  readonly name: string
  readonly references: ReadonlyArray<Reference>
  /** Writes to a `Page`. */
  readonly run: (it: unknown, page: object, ...functions: Functions) => void
  readonly text: string
}

/** The functions that templates call. */
type Functions = readonly [
  block: (name: string, content?: () => void) => unknown,
  include: (name: string, data?: object) => unknown,
  json: (value: unknown) => unknown,
  layout: (name: string, data?: object) => void,
  output: (text: unknown) => void
]
