/** Regular expressions of JavaScript as the patterns of JSON Schema. */

/**
 * Returns a pattern for the `pattern` keyword that accepts what the expression accepts;
 * undefined if there is no such pattern. Validators compile patterns with the flag `u`,
 * which is stricter about escapes, and have no other flags.
 *
 * Source: JSON Schema 2020-12, core, section 6.4.
 */
export const pattern = (source: string, flags: string): string | undefined => {
  const changed = flags.replaceAll(/[dgu]/g, "") === "" ? source : withoutFlags(source, flags)
  return changed === undefined
    ? undefined
    : [changed, strict(changed)].find((candidate) => compiles(candidate))
}

/** One element of an expression: a group's head, a quantifier, an escape, or a character. */
const element =
  /\{\d+(?:,\d*)?\}|\\k<[^>]*>|\(\?<(?![=!])[^>]*>|\(\?[:=!]|\(\?<[=!]|\\[pP]\{[^}]*\}|\\u\{[^}]*\}|\\u[\da-f]{4}|\\x[\da-f]{2}|\\c[a-z]|\\?[^]/giu

const withoutFlags = (source: string, flags: string): string | undefined => {
  // `m` has no equivalent without the flag, and `v` has a syntax of its own.
  if (/[mv]/.test(flags)) return undefined
  let isInClass = false
  const elements = source.match(element) ?? []
  const inner = elements.map((text, i) => {
    if (text === "[") isInClass = true
    if (text === "]") isInClass = false
    if (flags.includes("s") && text === "." && !isInClass) return "[\\s\\S]"
    if (!flags.includes("i") || !/^[a-z]$/i.test(text)) return text
    if (!isInClass) return `[${text}${swapped(text)}]`
    // The end of a range belongs to its first character.
    if (elements[i - 1] === "-" && /^[a-z]$/i.test(elements[i - 2] ?? "")) return text
    const last = elements[i + 1] === "-" ? (elements[i + 2] ?? "") : ""
    if (last === "" || last === "]") return text + swapped(text)
    return sameCase(text, last) ? `${swapped(text)}-${swapped(last)}${text}` : text
  })
  const changed = inner.join("")
  return flags.includes("y") ? `^(?:${changed})` : changed
}

const sameCase = (first: string, last: string): boolean =>
  /^[a-z][a-z]$/.test(first + last) || /^[A-Z][A-Z]$/.test(first + last)

const swapped = (letter: string): string =>
  letter === letter.toUpperCase() ? letter.toLowerCase() : letter.toUpperCase()

/**
 * Rewrites what the flag `u` refuses: escapes that need none such as `\_`, braces and brackets
 * that close nothing, and a hyphen beside a class such as `\w`.
 */
const strict = (source: string): string => {
  let isInClass = false
  const elements = source.match(element) ?? []
  const isSet = (text: string | undefined) => /^\\[wWdDsSpP]/.test(text ?? "")
  return elements
    .map((text, i) => {
      if (isInClass) {
        if (text === "]") isInClass = false
        return text === "-" && (isSet(elements[i - 1]) || isSet(elements[i + 1])) ? "\\-" : text
      }
      if (text === "[") isInClass = true
      if (text === "\\-") return "-"
      if (text === "]" || text === "{" || text === "}") return `\\${text}`
      return text
    })
    .map((text) =>
      /^\\[^\w^$\\.*+?()[\]{}|/-]$/u.test(text) || text === "\\_" ? text.slice(1) : text
    )
    .join("")
}

const compiles = (source: string): boolean => {
  try {
    return new RegExp(source, "u").source !== ""
  } catch {
    return false
  }
}
