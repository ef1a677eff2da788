/**
 * Converts the errors of PostgreSQL to `SqlError`s with a reason. Source of the codes:
 * PostgreSQL, appendix A.
 */
import { hasProperty } from "effect/Predicate"
import {
  AuthenticationError,
  AuthorizationError,
  ConnectionError,
  ConstraintError,
  DeadlockError,
  LockTimeoutError,
  SerializationError,
  SqlError,
  type SqlErrorReason,
  SqlSyntaxError,
  StatementTimeoutError,
  UniqueViolation,
  UnknownError
} from "effect/sql/SqlError"
import * as Failure from "../Failure.ts"
import * as ReadOnly from "../ReadOnly.ts"
import * as SchemaChange from "../SchemaChange.ts"

/** The codes with which the server ends or refuses a session. Another connection may succeed. */
const lost: ReadonlySet<string> = new Set([
  "25P03", // idle_in_transaction_session_timeout
  "53300", // too_many_connections
  "57P01", // admin_shutdown
  "57P02", // crash_shutdown
  "57P03", // cannot_connect_now
  "57P05" // idle_session_timeout
])

const readOnly = "25006"

interface Props {
  readonly cause: unknown
  readonly message: string
  readonly operation?: string
}

/** The function of the server that finds a change. The code stands for other errors too. */
const revalidation = "RevalidateCachedQuery"

/** Whether the plan of a prepared statement does not fit its tables any more, or is gone. */
const isOutdated = (code: string, cause: unknown): boolean =>
  code === "26000" ||
  (code === "0A000" && hasProperty(cause, "routine") && cause.routine === revalidation)

const reasonFor = (code: string, constraint: unknown, props: Props): SqlErrorReason => {
  if (isOutdated(code, props.cause)) return SchemaChange.reason(props)
  // 08P01 is a protocol violation of the client, not a lost connection.
  if ((code.startsWith("08") && code !== "08P01") || lost.has(code))
    return new ConnectionError(props)
  if (code.startsWith("28")) return new AuthenticationError(props)
  if (code === "42501") return new AuthorizationError(props)
  if (code.startsWith("42")) return new SqlSyntaxError(props)
  if (code === "23505") {
    return new UniqueViolation({
      ...props,
      constraint: typeof constraint === "string" && constraint !== "" ? constraint : "unknown"
    })
  }
  if (code.startsWith("23")) return new ConstraintError(props)
  if (code === "40P01") return new DeadlockError(props)
  if (code === "40001") return new SerializationError(props)
  if (code === "55P03") return new LockTimeoutError(props)
  if (code === "57014") return new StatementTimeoutError(props)
  return new UnknownError(props)
}

/**
 * Whether the server sent the error. The code is not enough: `EPIPE` has the form of a
 * SQLSTATE.
 */
const isFromServer = (
  cause: unknown
): cause is { readonly code: string; readonly message?: unknown; readonly severity: unknown } =>
  hasProperty(cause, "severity") && hasProperty(cause, "code") && typeof cause.code === "string"

/**
 * Returns the message of a system error, or its code: the error for several addresses
 * has no message.
 */
const words = (cause: unknown): string => {
  const message = hasProperty(cause, "message") ? String(cause.message) : ""
  return message === "" && hasProperty(cause, "code") ? String(cause.code) : message
}

/**
 * Returns the error with the reason of its SQLSTATE and the message of the server.
 * The error of a lost or refused connection gets the message of the system.
 */
export const refine = (error: SqlError): SqlError => Failure.plain(refined(error))

const refined = (error: SqlError): SqlError => {
  const { _tag, cause, operation } = error.reason
  const own = operation === undefined ? {} : { operation }
  if (isFromServer(cause)) {
    const constraint = hasProperty(cause, "constraint") ? cause.constraint : undefined
    const said = `${words(cause)} (SQLSTATE ${cause.code})`
    const message = cause.code === readOnly ? `${said}. ${ReadOnly.advice}` : said
    return new SqlError({ reason: reasonFor(cause.code, constraint, { cause, message, ...own }) })
  }
  const said = words(cause)
  if (_tag !== "ConnectionError" || said === "" || error.message.endsWith(said)) return error
  const message = `${error.message}: ${said}`
  return new SqlError({ reason: new ConnectionError({ cause, message, ...own }) })
}
