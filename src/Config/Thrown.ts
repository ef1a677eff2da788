/** Values that were thrown, of which nothing is known. */

/** Returns the message of an error, and anything else as text. */
export const messageOf = (thrown: unknown): string => {
  try {
    return thrown instanceof Error ? thrown.message : String(thrown)
  } catch {
    return "what was thrown has no text"
  }
}
