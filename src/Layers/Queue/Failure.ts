/** What is kept of a failed attempt: a JSON text with a bounded length. */
import * as CauseText from "../../Plugin/CauseText.ts"

/** A failed attempt, as dead letters have it. */
export interface Failure {
  /** The error of the handler, encoded with the schema `error` of the queue. Only for `failure`. */
  readonly error?: unknown
  /**
   * - `defect`: the handler died of an error that its type does not name
   * - `failure`: the handler failed with its error
   * - `lost`: its worker ended without settling it, in its last attempt
   * - `timeout`: the handler took longer than the `timeout` of the queue
   * - `undecodable`: its text does not fit the schema `payload`; the message has the issues
   */
  readonly kind: "defect" | "failure" | "lost" | "timeout" | "undecodable"
  /** The cause as text, at most 8192 characters. */
  readonly message: string
}

/** The longest message. */
const maxMessage = 8192

/** Returns the failure with a message that stores and logs can keep. */
export const bounded = (failure: Failure): Failure => ({
  ...failure,
  message: CauseText.storable(failure.message, maxMessage)
})

/** Returns the text of a failure. */
export const encode = ({ error, kind, message }: Failure): string => {
  const failure = bounded({ kind, message })
  const text = error === undefined ? undefined : withError(failure, error)
  // A NUL is written as an escape, which PostgreSQL refuses in jsonb but not in text.
  return text === undefined || text.length > 4 * maxMessage ? JSON.stringify(failure) : text
}

/** Returns the text of a failure with its error, or `undefined` if JSON cannot represent the error. */
const withError = (failure: Failure, error: unknown): string | undefined => {
  try {
    return JSON.stringify({ ...failure, error })
  } catch {
    // It is nested too deeply, or has a getter that throws.
    return undefined
  }
}

/** Returns the failure of a text of `encode`, or a failure with the whole text as its message. */
export const decode = (text: string): Failure => {
  try {
    // The text is one of `encode`; another one has no known kind.
    const found = JSON.parse(text) as Failure
    if (typeof found.kind === "string" && typeof found.message === "string") return found
  } catch {
    // A text of another program.
  }
  return { kind: "defect", message: text }
}

/** Returns the failure of an item whose last attempt ended with its worker. */
export const lost = (attempts: number): Failure => ({
  kind: "lost",
  message: `The worker ended during attempt ${attempts}, the last one, without settling it`
})
