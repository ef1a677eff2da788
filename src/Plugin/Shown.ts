/** Values of any kind in messages. */

/** The longest text of a value. */
const longest = 80

/** Returns a short text of a value, which never throws: texts are in quotes. */
export const of = (value: unknown): string => {
  const text = written(value)
  if (text.length <= longest) return text
  const length = typeof value === "string" ? value.length : text.length
  return `${text.slice(0, longest - 1)}\u2026 (${length} characters)`
}

const written = (value: unknown): string => {
  if (typeof value === "string") return JSON.stringify(value)
  try {
    return String(value)
  } catch {
    return `a value of the type ${typeof value}`
  }
}
