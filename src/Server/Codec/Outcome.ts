/** What a direct function returns: a value, or a mark in place of one. */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"

/** Returned for a value that the schema refuses too. */
export const refused = Symbol("flange/Codec/refused")

/** Returned for a value that only the schema can decide on. */
export const undecided = Symbol("flange/Codec/undecided")

/** Stands for a key that is missing, before and after decoding. */
export const absent = Symbol("flange/Codec/absent")

/** Returns a decoded value or a mark. May throw what the schema's own code throws. */
export type Direct = (input: unknown) => unknown

/**
 * Whether the last function that refused did so because it cannot decide. The
 * functions inside return `refused` for both, so that one comparison ends them all.
 */
export let isUndecided = false

/** Refuses because only the schema can decide. */
export const leave = (): typeof refused => {
  isUndecided = true
  return refused
}

/** Runs a function from the outside: what it returns is a value, `refused` or `undecided`. */
export const run = (direct: Direct, input: unknown): unknown => {
  isUndecided = false
  const value = direct(input)
  return value === absent || (value === refused && isUndecided) ? undecided : value
}

/** Returns the value of an effect that has ended; one that has not is for the schema to run. */
export const ended = (effect: unknown): unknown => {
  if (!Exit.isExit(effect)) return leave()
  if (effect._tag === "Success") return effect.value
  return effect.cause.reasons.every(Cause.isFailReason) ? refused : leave()
}
