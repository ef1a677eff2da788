/** The members of JSON inside a text, also of JSON inside a string of JSON. */

/** Matches the name of a member. In JSON that is a string of other JSON, quotes have backslashes. */
const member = /(?<!\\)(\\*)"([^"\\]+)\1"\s*:\s*/g

const number = /-?\d[\d.eE+-]*/y

/**
 * Returns the text with another value for the members of these names. A list or an object is replaced
 * whole, and a value that the text cuts off up to the end. Truth values and null stay.
 */
export const replaceMembers = (
  text: string,
  isReplaced: (name: string) => boolean,
  by: string
): string => {
  let result = ""
  let from = 0
  member.lastIndex = 0
  for (let found = member.exec(text); found !== null; found = member.exec(text)) {
    const [{ length }, escapes, name] = found as unknown as readonly [string, string, string]
    if (!isReplaced(name)) continue
    const at = found.index + length
    const end = endOf(text, at, escapes.length)
    if (end === at) continue
    result += `${text.slice(from, at)}${escapes}"${by}${escapes}"`
    from = end
    member.lastIndex = end
  }
  return result + text.slice(from)
}

/** Returns where the value at a position ends; the position itself for a value that stays. */
const endOf = (text: string, at: number, escapes: number): number => {
  const first = text[at + (text[at] === "\\" ? escapes : 0)]
  if (first === '"') return endOfString(text, at + escapes + 1, escapes)
  if (first === "[" || first === "{") return endOfNested(text, at, escapes)
  number.lastIndex = at
  return number.test(text) ? number.lastIndex : at
}

/** Returns the position after the quote that ends a string. */
const endOfString = (text: string, from: number, escapes: number): number => {
  let slashes = 0
  for (let at = from; at < text.length; at++) {
    if (text[at] === "\\") slashes++
    else {
      if (text[at] === '"') {
        // The string around this one ends.
        if (slashes < escapes) return at - slashes
        // Each backslash of the value is written as so many.
        if (((slashes - escapes) / (escapes + 1)) % 2 === 0) return at + 1
      }
      slashes = 0
    }
  }
  return text.length
}

/** Returns the position after the bracket that ends a list or an object. */
const endOfNested = (text: string, from: number, escapes: number): number => {
  let depth = 0
  for (let at = from; at < text.length; at++) {
    const character = text[at]
    if (character === '"') at = endOfString(text, at + 1, escapes) - 1
    else if (character === "[" || character === "{") depth++
    else if (character === "]" || character === "}") {
      depth--
      if (depth === 0) return at + 1
    }
  }
  return text.length
}
