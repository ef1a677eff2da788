/** Flags that commands share. */
import * as Flag from "effect/cli/Flag"

/** Creates a flag that is off unless the command line has it. */
export const boolean = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withDescription(description), Flag.withDefault(false))

/** The flag `--json`. */
export const json = boolean("json", "Print JSON")
