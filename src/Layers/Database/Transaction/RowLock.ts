/** Refuses queries that lock rows outside a transaction. */
import * as Effect from "effect/Effect"
import type { Connection } from "effect/sql/SqlConnection"
import * as Stream from "effect/Stream"
import { codeOf, type Dialect } from "../SqlText.ts"
import { NotInTransaction } from "./NotInTransaction.ts"

const word = /[\w$\u0080-\uFFFF]+|[()]/g

/** Every lock has a word of each. */
const lockWords = [/\b(?:share|update)\b/i, /\b(?:for|lock)\b/i]

const queries: ReadonlySet<string> = new Set(["select", "table", "values", "with"])

const writes: ReadonlySet<string> = new Set(["delete", "insert", "merge", "update"])

/** The lock of a `select`, where its words are those of one text, with spaces between them. */
const lock = /^(?:for (?:no key )?update|for (?:key )?share|lock in share mode)\b/

const isOfLock = (before: string | undefined) => before === "for" || before === "key"

/** The most words of a lock. */
const longest = 4

/**
 * Whether a query locks rows for the statements after it, in itself or in a query inside it. A
 * statement that writes and has such a `select` in it, as workers of a queue do, needs no
 * transaction.
 */
export const locksRows = (sql: string, dialect: Dialect): boolean => {
  if (!lockWords.every((each) => each.test(sql))) return false
  const words = codeOf(sql, dialect).toLowerCase().match(word) ?? []
  const first = words.find((one) => one !== "(") ?? ""
  if (!queries.has(first)) return false
  /** Whether there is a query in each open parenthesis, around them, or neither is known yet. */
  const open: Array<boolean | undefined> = [undefined]
  let hasLock = false
  for (const [at, one] of words.entries()) {
    const last = open.length - 1
    if (one === "(") open.push(undefined)
    else if (one === ")") {
      // The parentheses may be around a part of the query: `(select 1) for update`.
      const inner = open.pop()
      if (last > 0) open[last - 1] ??= inner
    } else {
      open[last] ??= queries.has(one)
      // In a call, `for` has another meaning: `substring(code for share)`.
      if (open[last] && lock.test(words.slice(at, at + longest).join(" "))) hasLock = true
      else if (first === "with" && writes.has(one) && !isOfLock(words[at - 1])) return false
    }
  }
  return hasLock
}

const known = new WeakMap<Connection, Connection>()

/** Returns a connection for statements outside transactions. Queries that lock rows die. */
export const refusing =
  (dialect: Dialect) =>
  (connection: Connection): Connection => {
    const before = known.get(connection)
    if (before !== undefined) return before
    const made = make(connection, dialect)
    known.set(connection, made)
    return made
  }

const make = (connection: Connection, dialect: Dialect): Connection => {
  const checked =
    <A extends ReadonlyArray<unknown>, B, E>(
      run: (sql: string, ...rest: A) => Effect.Effect<B, E>
    ) =>
    (sql: string, ...rest: A): Effect.Effect<B, E> =>
      locksRows(sql, dialect) ? Effect.die(new NotInTransaction({ sql })) : run(sql, ...rest)
  return {
    execute: checked(connection.execute),
    executeRaw: checked(connection.executeRaw),
    executeStream: (sql, params, transformRows) =>
      locksRows(sql, dialect)
        ? Stream.die(new NotInTransaction({ sql }))
        : connection.executeStream(sql, params, transformRows),
    executeUnprepared: checked(connection.executeUnprepared),
    executeValues: checked(connection.executeValues),
    executeValuesUnprepared: checked(connection.executeValuesUnprepared)
  }
}
