/** Statements that a connection sends in one write with the first statement after them. */
import type { Connection } from "effect/sql/SqlConnection"

/** A statement with its parameters. */
export interface Statement {
  readonly params: ReadonlyArray<string>
  readonly sql: string
}

/** The statements to send ahead. They return no rows. */
export interface Statements {
  /** The statement that begins the transaction. */
  readonly begin: string
  /** Returns how long the database may take to run them from now on, in milliseconds. */
  readonly limit: () => number
  /** Returns the cause with which the connection is closed if the database takes longer. */
  readonly onLate: () => Error
  /** Called once the database has run all of them, before it runs the one after them. */
  readonly onRun: () => void
  /** A statement that the connection prepares, because each transaction has it. */
  readonly settings: Statement | undefined
}

/** A connection that can send statements ahead. */
export interface AheadConnection extends Connection {
  /**
   * Sends statements in the write of the next one, which fails with their error. Call the
   * returned function when the next one has ended. It returns whether nothing was written.
   */
  readonly sendAhead: (statements: Statements) => () => boolean
}

/** Whether a connection can send statements ahead. */
export const canSendAhead = (connection: Connection): connection is AheadConnection =>
  "sendAhead" in connection
