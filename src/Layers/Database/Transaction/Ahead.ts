/** The statements of a transaction that no one waits for: its begin, and the commit of a read. */
import type { Connection } from "effect/sql/SqlConnection"

/** A statement with its parameters. */
export interface Statement {
  readonly params: ReadonlyArray<string>
  readonly sql: string
}

/** The statements to send ahead of the first one of a transaction. */
export interface Statements {
  /** The statement that begins the transaction. */
  readonly begin: string
  /** Returns how long the database may take to run them from now on, in milliseconds. */
  readonly limit: () => number
  /** Returns the cause with which the connection is closed if the database takes longer. */
  readonly onLate: () => Error
  /** Called once the database has run all of them, before it runs the one after them. */
  readonly onRun: () => void
  /**
   * A statement that the connection prepares, because each transaction has it. It returns a row
   * if the commit must be waited for.
   */
  readonly settings: Statement | undefined
}

/** A connection that can send statements ahead. */
export interface AheadConnection extends Connection {
  /**
   * Sends statements in the write of the next one, which fails with their error. Call the
   * returned function when the next one has ended. It returns whether nothing was written.
   */
  readonly sendAhead: (statements: Statements) => () => boolean
  /**
   * Commits a transaction that has written nothing, and returns true at once. The commit is in
   * the write of the next statement if that comes soon. Returns false and sends nothing if the
   * answer must be waited for: the transaction is serializable, has failed or did more than read.
   */
  readonly sendCommit: () => boolean
}

/** Whether a connection can send statements ahead. */
export const canSendAhead = (connection: Connection): connection is AheadConnection =>
  "sendAhead" in connection
