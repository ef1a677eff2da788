/** Statements that a connection sends in one write with the first statement after them. */
import type { Connection } from "effect/sql/SqlConnection"

/** A statement with its parameters. */
export interface Statement {
  readonly params: ReadonlyArray<string>
  readonly sql: string
}

/** The statements, none of which returns a row. */
export interface Statements {
  /** The statement that begins the transaction. */
  readonly begin: string
  /** Called once the database has run all of them, before it runs the one after them. */
  readonly onRun: () => void
  /** A statement that the connection prepares, because each transaction has it. */
  readonly settings: Statement | undefined
}

/** Statements that are sent, or wait for the next write. */
export interface Sent {
  /** Closes the connection. The statement that waits for an answer fails with the cause. */
  readonly close: (cause: Error) => void
  /** Withdraws the statements. Returns false if they were written already. */
  readonly withdraw: () => boolean
}

/** A connection that can send statements ahead. */
export interface AheadConnection extends Connection {
  /** Sends statements in the write of the next one, which fails with their error. */
  readonly sendAhead: (statements: Statements) => Sent
}

/** Whether a connection can send statements ahead. */
export const canSendAhead = (connection: Connection): connection is AheadConnection =>
  "sendAhead" in connection
