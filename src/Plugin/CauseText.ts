/** Causes as texts that a store can keep. */
import * as Cause from "effect/Cause"

/** Returns the text of a cause. User code that throws while it is written is no reason to fail. */
export const of = (cause: Cause.Cause<unknown>): string => {
  try {
    return Cause.pretty(cause)
  } catch {
    return "A cause that cannot be written as text"
  }
}

/** Returns at most `longest` characters of a text, without those that a database refuses. */
export const storable = (text: string, longest: number): string => {
  const short = text.length > longest ? `${text.slice(0, longest - 1)}\u2026` : text
  return short.replaceAll("\0", "\u{fffd}").toWellFormed()
}
