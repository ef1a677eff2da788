/** The results of direct functions: a value, or a mark in its place. */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"

/** The result for a value that the schema refuses. */
export const refused = Symbol("flange/Codec/refused")

/** The result for a value that only the schema can decide on. */
export const undecided = Symbol("flange/Codec/undecided")

/** Marks a missing key, before and after decoding. */
export const absent = Symbol("flange/Codec/absent")

/** Returns a decoded value or a mark. May throw what the schema's own code throws. */
export type Direct = (input: unknown) => unknown

/**
 * Whether the last refusal means that only the schema can decide. Functions return
 * `refused` for both, so that callers compare with one mark.
 */
export let isUndecided = false

/** Returns `refused` and records that only the schema can decide. */
export const leave = (): typeof refused => {
  isUndecided = true
  return refused
}

/** Runs a direct function. Returns a value, `refused` or `undecided`. */
export const run = (direct: Direct, input: unknown): unknown => {
  isUndecided = false
  const value = direct(input)
  return value === absent || (value === refused && isUndecided) ? undecided : value
}

/** Returns the value of an `Exit`. Other effects and defects are left to the schema. */
export const ended = (effect: unknown): unknown => {
  if (!Exit.isExit(effect)) return leave()
  if (effect._tag === "Success") return effect.value
  return effect.cause.reasons.every(Cause.isFailReason) ? refused : leave()
}
