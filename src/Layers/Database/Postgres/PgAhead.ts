/**
 * Sends the statements that begin a transaction in one write with its first statement, and
 * the commit of a read in one write with the begin of the next transaction.
 *
 * The server answers them after a `Flush`, before it runs the statement: a connection that
 * does not answer can be told from a statement that takes long. Their answers do not reach
 * the driver. All messages are one cycle with one `Sync`: after an error in one of them the
 * server skips the others, and the error is that of the statement. The commit is a
 * cycle of its own. A read loses nothing if its commit fails, so no request waits for the answer.
 */
import type { PgConnection as PgSession } from "@effect/sql-pg/PgConnection"
import * as PgProtocol from "@effect/sql-pg/PgProtocol"
import { OID } from "@effect/sql-pg/PgTypes"
import * as Result from "effect/Result"
import { longestTimer } from "../../../Config/Timer.ts"
import { afterArrivals } from "../../../Plugin/Arrivals.ts"
import type { Statement, Statements } from "../Transaction/Ahead.ts"
import { type Line, lineOf, type Message } from "./PgInternals.ts"

/** The name of the prepared statement of the settings. */
const settingsName = "flange_settings"

const execute = PgProtocol.encodeExecute({ maxRows: 0, portal: "" })

const flush = PgProtocol.encodeFlush()

/** A simple query: `Q`, the length of what follows, and the text. Its answer is the shortest. */
const commit = Buffer.from("Q\0\0\0\x0bCOMMIT\0")

const encoder = new TextEncoder()

const bind = (statement: string, params: ReadonlyArray<string>): Uint8Array =>
  Result.getOrThrow(
    PgProtocol.encodeBind({
      parameters: params.map((value) => encoder.encode(value)),
      portal: "",
      statement
    })
  )

const parse = (name: string, { params, sql }: Statement): Uint8Array =>
  Result.getOrThrow(
    PgProtocol.encodeParse({ name, parameterTypes: params.map(() => OID.text), query: sql })
  )

const begins = new Map<string, Uint8Array>()

const beginOf = (sql: string): Uint8Array => {
  const known = begins.get(sql)
  if (known !== undefined) return known
  const made = Buffer.concat([parse("", { params: [], sql }), bind("", []), execute])
  begins.set(sql, made)
  return made
}

/** Whether the server ends the session with the error. Source: PostgreSQL, "Error and Notice Message Fields". */
const isFatal = ({ fields }: Message): boolean =>
  ["FATAL", "PANIC"].includes(
    (fields as { readonly severityUnlocalized?: string }).severityUnlocalized ?? ""
  )

/** The statements that one session sends ahead. */
class PgAhead {
  /** How many statements the server has not answered yet. */
  #due = 0
  readonly #line: Line
  /** Whether the commit of the transaction must be waited for. */
  #mustWait = true
  #onRun: (() => void) | undefined
  /** The text of the prepared settings. Undefined if the server may not have them. */
  #prepared: string | undefined
  /** Runs while the server has not answered. */
  #timer: NodeJS.Timeout | undefined

  constructor(line: Line) {
    this.#line = line
  }

  send({ begin, limit, onLate, onRun, settings }: Statements): () => boolean {
    const line = this.#line
    const onWrite = (next: Uint8Array) => {
      line.onWrite = undefined
      line.onMessage = this.#received
      this.#mustWait = settings === undefined
      this.#onRun = onRun
      this.#due = settings === undefined ? 1 : 2
      this.#limit(limit(), onLate)
      const before = settings === undefined ? [] : this.#settings(settings)
      return Buffer.concat([beginOf(begin), ...before, flush, next])
    }
    line.onWrite = onWrite
    return () => {
      this.#stopTimer()
      if (line.onWrite !== onWrite) return false
      line.onWrite = undefined
      return true
    }
  }

  /** Sends the commit. Returns false if its answer must be waited for. */
  commit(): boolean {
    const line = this.#line
    const isFree = !this.#mustWait && !line.isCommitting && line.hasOnlyRead
    if (!isFree || !line.isInTransaction()) return false
    line.isCommitting = true
    this.#mustWait = true
    line.onMessage = this.#received
    line.writeSoon(commit)
    return true
  }

  /** Closes the connection if the server has not answered within the limit, in milliseconds. */
  #limit(limit: number, onLate: () => Error): void {
    const timer = setTimeout(
      () =>
        afterArrivals(() => {
          if (this.#timer === timer) this.#line.destroy(onLate())
        }),
      Math.min(limit, longestTimer)
    )
    this.#timer = timer
  }

  #stopTimer(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #settings(settings: Statement): ReadonlyArray<Uint8Array> {
    const run = [bind(settingsName, settings.params), execute]
    if (this.#prepared === settings.sql) return run
    this.#prepared = settings.sql
    // The server may have it: an error can come after the statement has been prepared.
    const close = PgProtocol.encodeClose({ name: settingsName, target: "statement" })
    return [close, parse(settingsName, settings), ...run]
  }

  readonly #received = (message: Message): boolean =>
    this.#line.isCommitting ? this.#committed(message) : this.#begun(message)

  /** Keeps the answers of the commit from the driver. */
  #committed(message: Message): boolean {
    switch (message._tag) {
      case "CommandComplete":
        return false
      case "ErrorResponse":
        // The driver must know if the server ends the session.
        return isFatal(message)
      case "ReadyForQuery":
        this.#line.isCommitting = false
        this.#line.onMessage = this.#due === 0 ? undefined : this.#received
        // For example after a cancel request that came late. The connection is no longer usable.
        if (message.status !== "I")
          this.#line.destroy(new Error("The transaction could not be ended."))
        return false
      default:
        return true
    }
  }

  /** Keeps the answers of the statements ahead from the driver. */
  #begun({ _tag }: Message): boolean {
    switch (_tag) {
      case "BindComplete":
      case "CloseComplete":
      case "ParseComplete":
        return false
      case "CommandComplete":
        this.#due--
        if (this.#due === 0) {
          this.#line.hasOnlyRead = true
          this.#line.onMessage = undefined
          this.#stopTimer()
          this.#onRun?.()
        }
        return false
      case "DataRow":
        this.#mustWait = true
        return false
      case "ErrorResponse":
        // Also if a statement of the app has deallocated the settings.
        this.#prepared = undefined
        this.#due = 0
        this.#line.onMessage = undefined
        this.#stopTimer()
        return true
      default:
        return true
    }
  }
}

const known = new WeakMap<Line, PgAhead>()

const aheadOf = (session: PgSession): PgAhead => {
  const line = lineOf(session)
  const before = known.get(line)
  if (before !== undefined) return before
  const made = new PgAhead(line)
  known.set(line, made)
  return made
}

/** Sends statements in the next write of a session. */
export const send = (session: PgSession, statements: Statements): (() => boolean) =>
  aheadOf(session).send(statements)

/** Commits without waiting for the answer. Returns false if the answer must be waited for. */
export const sendCommit = (session: PgSession): boolean => aheadOf(session).commit()
