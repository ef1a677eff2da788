/** Splits a `.sql` file into its statements, because drivers do not safely send several at once. */
import { type Dialect, match, opaque } from "../SqlText.ts"

/** One statement of a script. */
export interface SqlStatement {
  /** The line on which it begins, counted from 1. */
  readonly line: number
  readonly text: string
}

const word = /[A-Za-z_][A-Za-z0-9_$]*/y
const delimiter = /^[ \t]*delimiter[ \t]+(\S+)[ \t]*$/imy

/** The commands of psql that pg_dump writes into every script. They say nothing to a server. */
const restrict = /\\(un)?restrict\b[^\n]*/y

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
