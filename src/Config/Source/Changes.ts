/** Runs the functions with which plugins change the configuration, and finds what each changed. */
import * as Equal from "effect/Equal"
import { type Problem, problemAt } from "../ConfigError.ts"
import type { Change, Values } from "../LoadOptions.ts"
import { isPlain, sanitize, type Source, type Tree, tree } from "../Tree.ts"
import { fromValues } from "./Files.ts"

/** Returns the values of `after` that differ from those of `before`. */
const changed = (before: Tree, after: Tree): Tree =>
  tree(
    Object.entries(after).flatMap(([key, value]) => {
      const old = before[key]
      if (!isPlain(old) || !isPlain(value)) {
        return Equal.equals(old, value) ? [] : [[key, value] as const]
      }
      const inner = changed(old, value)
      return Object.keys(inner).length === 0 ? [] : [[key, inner] as const]
    })
  )

/** Returns the dotted keys of `before` that `after` lacks. */
const removed = (before: Tree, after: Tree, path = ""): ReadonlyArray<string> =>
  Object.entries(before).flatMap(([key, value]) => {
    const next = after[key]
    if (next === undefined) return [`${path}${key}`]
    return isPlain(value) && isPlain(next) ? removed(value, next, `${path}${key}.`) : []
  })

/** Returns a source with the differences between two configurations. */
export const difference = (label: string, before: Tree, after: Tree): Source => ({
  label,
  removed: removed(before, after),
  values: changed(before, after)
})

/** Runs a function on a copy of the values, and returns its result or the problem with it. */
export const applyChange = (
  { change, plugin }: Change,
  before: Tree,
  environment: string
): { readonly label: string; readonly problems: ReadonlyArray<Problem>; readonly values: Tree } => {
  const label = `configure of plugin ${plugin}`
  const refused = (why: string) => ({
    label,
    problems: [
      problemAt(
        "(configure)",
        label,
        "a function that returns the configuration",
        `The ${label} ${why}: return the configuration, changed or as it is.`
      )
    ],
    values: before
  })
  try {
    if (change === undefined) return { label, problems: [], values: before }
    // A tree has the form of the values of all sections, as far as their schemas accept it.
    const result: unknown = change(sanitize(before).value as Values, environment)
    if (!isPlain(result)) return refused("returned no object")
    return { ...fromValues(label, result), label }
  } catch (error) {
    return refused(`threw ${error instanceof Error ? error.message : "a value"}`)
  }
}
