/** What a library or the code of an app has thrown: an error, or any other value. */

/** Returns the message of an error, anything else as text, and a sentence for what cannot be turned into text. */
export const messageOf = (thrown: unknown): string => {
  try {
    return thrown instanceof Error ? thrown.message : String(thrown)
  } catch {
    return "what was thrown has no text"
  }
}
