/** Checks what plugins contribute. */
import { hasProperty } from "effect/Predicate"
import * as Shown from "./Shown.ts"

/** Throws if the list has something else than contributions: the program may be unchecked. */
export const refuseOthers = (plugin: string, list: ReadonlyArray<unknown>): void => {
  for (const value of list) {
    if (hasProperty(value, "requires") && Array.isArray(value.requires)) continue
    const hint = value === undefined ? " It is undefined here if its module imports this one." : ""
    throw new TypeError(
      `The plugin "${plugin}" contributes ${Shown.of(value)}, which is no contribution. Write what a function such as \`Job.every\`, \`Route.public\` or \`worker\` of a queue returns.${hint}`
    )
  }
}
