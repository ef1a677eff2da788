/** Tells the code of an SQL text from its quoted texts and comments. */

/** The syntax of a text. */
export type Dialect = "mysql" | "pg"

/** Returns the end of the quoted text that begins at `start`. A doubled quote does not end it. */
const quoteEnd = (text: string, start: number, escapes: boolean): number => {
  const quote = text[start]
  for (let i = start + 1; i < text.length; i++) {
    if (escapes && text[i] === "\\") i++
    else if (text[i] === quote) {
      if (text[i + 1] !== quote) return i + 1
      i++
    }
  }
  return text.length
}

const lineEnd = (text: string, start: number): number => {
  const end = text.indexOf("\n", start)
  return end < 0 ? text.length : end
}

/**
 * Returns the end of the block comment that begins at `start`. Those of PostgreSQL can
 * be nested.
 */
const commentEnd = (text: string, start: number, nested: boolean): number => {
  let depth = 1
  for (let i = start + 2; i < text.length; i++) {
    if (text.startsWith("*/", i)) {
      depth--
      i++
      if (depth === 0) return i + 1
    } else if (nested && text.startsWith("/*", i)) {
      depth++
      i++
    }
  }
  return text.length
}

const dollarTag = /\$([A-Za-z_\u0080-\uFFFF][A-Za-z0-9_\u0080-\uFFFF]*)?\$/y
export const match = (pattern: RegExp, text: string, at: number): RegExpExecArray | null => {
  pattern.lastIndex = at
  return pattern.exec(text)
}

/**
 * Returns the length of the quoted text or comment that starts at `at`, or 0 if none
 * starts there. A separator inside it does not end the statement.
 */
export const opaque = (text: string, at: number, dialect: Dialect): number => {
  const char = text[at]
  const mysql = dialect === "mysql"
  if (char === "'") {
    const escapeString = /[eE]/.test(text[at - 1] ?? "") && !/\w/.test(text[at - 2] ?? "")
    return quoteEnd(text, at, mysql || escapeString) - at
  }
  if (char === '"') return quoteEnd(text, at, mysql) - at
  if (char === "`" && mysql) return quoteEnd(text, at, false) - at
  if (text.startsWith("--", at) && (!mysql || /\s|^$/.test(text[at + 2] ?? ""))) {
    return lineEnd(text, at) - at
  }
  if (char === "#" && mysql) return lineEnd(text, at) - at
  if (text.startsWith("/*", at)) return commentEnd(text, at, !mysql) - at
  if (char === "$" && !mysql && !/[\w$]/.test(text[at - 1] ?? "")) {
    const tag = match(dollarTag, text, at)?.[0]
    if (tag === undefined) return 0
    const end = text.indexOf(tag, at + tag.length)
    return (end < 0 ? text.length : end + tag.length) - at
  }
  return 0
}

const mayBeOpaque = /["#$'\-/`]/g

/** Returns a text with another text in place of each quoted text and comment. */
export const replaceOpaque = (
  text: string,
  dialect: Dialect,
  replace: (part: string) => string
): string => {
  let replaced = ""
  let from = 0
  mayBeOpaque.lastIndex = 0
  for (let found = mayBeOpaque.exec(text); found !== null; found = mayBeOpaque.exec(text)) {
    const { index } = found
    const length = opaque(text, index, dialect)
    if (length === 0) continue
    replaced += text.slice(from, index) + replace(text.slice(index, index + length))
    from = index + length
    mayBeOpaque.lastIndex = from
  }
  return replaced + text.slice(from)
}

/** Returns a text with a space in place of each quoted text and comment. */
export const codeOf = (text: string, dialect: Dialect): string =>
  replaceOpaque(text, dialect, () => " ")
