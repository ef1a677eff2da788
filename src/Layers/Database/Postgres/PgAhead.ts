/**
 * Sends the statements that begin a transaction in one write with its first statement.
 *
 * The server answers them after a `Flush`, before it runs the statement: a connection that
 * does not answer can be told from a statement that takes long. Their answers do not reach
 * the driver. All messages are one cycle with one `Sync`: after an error in one of them the
 * server skips the others, and the error is that of the statement.
 */
import type { PgConnection as PgSession } from "@effect/sql-pg/PgConnection"
import * as PgProtocol from "@effect/sql-pg/PgProtocol"
import { OID } from "@effect/sql-pg/PgTypes"
import * as Result from "effect/Result"
import { longestTimer } from "../Silence.ts"
import type { Statement, Statements } from "../Transaction/Ahead.ts"
import { type Line, lineOf, type Message } from "./PgInternals.ts"

/** The name of the prepared statement of the settings. */
const settingsName = "flange_settings"

const execute = PgProtocol.encodeExecute({ maxRows: 0, portal: "" })

const flush = PgProtocol.encodeFlush()

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

/** The statements that one session sends ahead. */
class PgAhead {
  /** How many statements the server has not answered yet. */
  #due = 0
  readonly #line: Line
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
      line.onMessage = this.#answered
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

  /** Closes the connection if the server has not answered within the limit, in milliseconds. */
  #limit(limit: number, onLate: () => Error): void {
    const timer = setTimeout(
      () =>
        // After a long computation a timer comes before the data that has already arrived.
        setImmediate(() => {
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

  /** Keeps the answers from the driver. */
  readonly #answered = ({ _tag }: Message): boolean => {
    switch (_tag) {
      case "BindComplete":
      case "CloseComplete":
      case "ParseComplete":
        return false
      case "CommandComplete":
        this.#due--
        if (this.#due === 0) {
          this.#line.onMessage = undefined
          this.#stopTimer()
          this.#onRun?.()
        }
        return false
      case "ErrorResponse":
        // Also if a statement of the app has deallocated the settings.
        this.#prepared = undefined
        this.#line.onMessage = undefined
        this.#stopTimer()
        return true
      default:
        return true
    }
  }
}

const known = new WeakMap<Line, PgAhead>()

/** Sends statements in the next write of a session. */
export const send = (session: PgSession, statements: Statements): (() => boolean) => {
  const line = lineOf(session)
  let ahead = known.get(line)
  if (ahead === undefined) {
    ahead = new PgAhead(line)
    known.set(line, ahead)
  }
  return ahead.send(statements)
}
