/** Splits a `.sql` file into its statements, because drivers do not safely send several at once. */

/** The syntax of a script. */
export type Dialect = "mysql" | "pg"

/** One statement of a script. */
export interface SqlStatement {
  /** The line on which it begins, counted from 1. */
  readonly line: number
  readonly text: string
}

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

const word = /[A-Za-z_][A-Za-z0-9_$]*/y
const dollarTag = /\$([A-Za-z_\u0080-\uFFFF][A-Za-z0-9_\u0080-\uFFFF]*)?\$/y
const delimiter = /^[ \t]*delimiter[ \t]+(\S+)[ \t]*$/imy

/** The commands of psql that pg_dump writes into every script. They say nothing to a server. */
const restrict = /\\(un)?restrict\b[^\n]*/y

const match = (pattern: RegExp, text: string, at: number): RegExpExecArray | null => {
  pattern.lastIndex = at
  return pattern.exec(text)
}

/**
 * Returns the length of the quoted text or comment that starts at `at`, or 0 if none
 * starts there. A separator inside it does not end the statement.
 */
const opaque = (text: string, at: number, dialect: Dialect): number => {
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

/**
 * Returns the statements of a script, without separators and without comments
 * between statements. Understands quotes, comments, dollar quotes, the bodies of
 * `BEGIN ATOMIC` functions, and for MySQL `DELIMITER` lines.
 */
export const split = (script: string, dialect: Dialect): ReadonlyArray<SqlStatement> => {
  const found: Array<SqlStatement> = []
  let end = ";"
  /** The start of the current statement, after spaces and comments. -1 before it. */
  let first = -1
  /** The number of open blocks of a `BEGIN ATOMIC` body, in which a semicolon ends nothing. */
  let depth = 0
  /** The number of open parentheses, in which it ends nothing either: `do also (...; ...)`. */
  let parentheses = 0
  /** The previous word, in lower case. */
  let previous = ""

  const finish = (to: number) => {
    if (first >= 0) {
      const line = script.slice(0, first).split("\n").length
      found.push({ line, text: script.slice(first, to).trim() })
    }
    first = -1
    depth = 0
    parentheses = 0
    previous = ""
  }

  let at = 0
  while (at < script.length) {
    const lineStart = at === 0 || script[at - 1] === "\n"
    const command = dialect === "mysql" && lineStart ? match(delimiter, script, at) : null
    if (command !== null) {
      finish(at)
      end = command[1] ?? ";"
      at += command[0].length
      continue
    }
    const skipped = opaque(script, at, dialect)
    if (skipped > 0) {
      const comment = /[-#/]/.test(script[at] ?? "") && !script.startsWith("/*!", at)
      if (!comment && first < 0) first = at
      at += skipped
      continue
    }
    if (depth === 0 && parentheses === 0 && script.startsWith(end, at)) {
      finish(at)
      at += end.length
      continue
    }
    const found = match(word, script, at)?.[0]
    if (found !== undefined) {
      if (first < 0) first = at
      const lower = found.toLowerCase()
      if (dialect === "pg") {
        if (lower === "atomic" && previous === "begin") depth = 1
        else if (depth > 0 && lower === "case") depth++
        else if (depth > 0 && lower === "end") depth--
      }
      previous = lower
      at += found.length
      continue
    }
    if (dialect === "pg" && first < 0) {
      const restriction = match(restrict, script, at)?.[0]
      if (restriction !== undefined) {
        at += restriction.length
        continue
      }
    }
    if (first < 0 && !/\s/.test(script[at] ?? "")) first = at
    if (dialect === "pg" && script[at] === "(") parentheses++
    else if (script[at] === ")" && parentheses > 0) parentheses--
    at++
  }
  finish(script.length)
  return found
}

/** Whether a statement begins or ends a transaction. */
export const controlsTransaction = (statement: string): boolean =>
  /^(abort|begin(?!\s+not\s+atomic)|commit|end|rollback(?!\s+to)|start\s+transaction)\b/i.test(
    statement
  )
