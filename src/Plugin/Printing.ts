/** What the commands of batteries print: data as JSON, or as lines. Only commands load it. */
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import type * as Effect from "effect/Effect"

/** The flag `--json`. */
export const json = Flag.Boolean("json").pipe(
  Flag.withDescription("Print JSON"),
  Flag.withDefault(false)
)

/** Prints data as JSON, or as lines; `none` if there are no lines. */
export const print = (
  data: unknown,
  isJson: boolean,
  lines: ReadonlyArray<string>,
  none: string
): Effect.Effect<void> =>
  Console.log(
    isJson ? JSON.stringify(data, undefined, 2) : lines.length === 0 ? none : lines.join("\n")
  )
