/** Values that were thrown, of which nothing is known. */

/** Returns the message of an error, anything else as text, and a sentence for what cannot be turned into text. */
export const messageOf = (thrown: unknown): string => {
  try {
    return thrown instanceof Error ? thrown.message : String(thrown)
  } catch {
    return "what was thrown has no text"
  }
}
