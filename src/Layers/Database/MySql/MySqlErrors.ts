/** Converts the errors of MySQL and MariaDB to `SqlError`s with a reason. */
import { hasProperty } from "effect/Predicate"
import {
  AuthenticationError,
  AuthorizationError,
  ConnectionError,
  ConstraintError,
  DeadlockError,
  isSqlError,
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

const readOnly = 1792

interface Props {
  readonly cause: unknown
  readonly message: string
  readonly operation: string
}

const uniqueViolation = (props: Props): SqlErrorReason => {
  // MySQL writes 'table.key', MariaDB 'key'.
  const key = /for key '(?:[^']*\.)?([^'.]+)'\s*$/.exec(props.message)?.[1]
  return new UniqueViolation({ ...props, constraint: key ?? "unknown" })
}

const authentication = (props: Props) => new AuthenticationError(props)
const authorization = (props: Props) => new AuthorizationError(props)
const connection = (props: Props) => new ConnectionError(props)
const constraint = (props: Props) => new ConstraintError(props)
const statementTimeout = (props: Props) => new StatementTimeoutError(props)
const syntax = (props: Props) => new SqlSyntaxError(props)

const reasons: ReadonlyMap<number, (props: Props) => SqlErrorReason> = new Map([
  [1020, (props: Props) => new SerializationError(props)], // record changed since last read
  [1040, connection], // too many connections
  [1044, authorization], // no access to the database
  [1045, authentication],
  [1048, constraint], // null in a column that forbids it
  [1053, connection], // server shutdown
  [1054, syntax], // unknown column
  [1062, uniqueViolation],
  [1064, syntax],
  [1129, connection], // host blocked
  [1142, authorization], // no right on the table
  [1143, authorization], // no right on the column
  [1146, syntax], // no such table
  [1169, uniqueViolation],
  [1203, connection], // too many connections of this user
  [1205, (props: Props) => new LockTimeoutError(props)],
  [1213, (props: Props) => new DeadlockError(props)], // ends the whole transaction
  [1216, constraint], // foreign key, child
  [1217, constraint], // foreign key, parent
  [1226, connection], // user's resource limit
  [1243, SchemaChange.reason], // unknown prepared statement
  [1317, statementTimeout], // interrupted by KILL QUERY
  [1364, constraint], // no default
  [1412, SchemaChange.reason], // table rebuilt since the snapshot
  [1451, constraint], // foreign key, parent
  [1452, constraint], // foreign key, child
  [1586, uniqueViolation],
  [1615, SchemaChange.reason], // prepared statement needs to be prepared again
  [1698, authentication],
  [1927, connection], // connection killed
  [1969, statementTimeout], // MariaDB max_statement_time
  [2006, connection],
  [2013, connection],
  [3024, statementTimeout], // MySQL max_execution_time
  [3572, (props: Props) => new LockTimeoutError(props)], // NOWAIT
  [3819, constraint], // MySQL CHECK
  [4025, constraint] // MariaDB CHECK
])

/** Whether the connection failed. Unlike errors of the server, such an error has no SQLSTATE. */
const isLost = (cause: unknown): boolean =>
  hasProperty(cause, "fatal") && cause.fatal === true && !hasProperty(cause, "sqlState")

/** Converts an error of mysql2. An `SqlError` stays as it is. */
export const toSqlError = (cause: unknown, operation: string): SqlError => {
  if (isSqlError(cause)) return cause
  const said = hasProperty(cause, "message") ? String(cause.message) : String(cause)
  const code = hasProperty(cause, "code") ? String(cause.code) : ""
  const number = hasProperty(cause, "errno") ? Number(cause.errno) : 0
  const words = said === "" ? code : said
  const message = number === readOnly ? `${words}. ${ReadOnly.advice}` : words
  const props = { cause, message, operation }
  const known = reasons.get(number)
  const reason =
    known?.(props) ?? (isLost(cause) ? new ConnectionError(props) : new UnknownError(props))
  return Failure.plain(new SqlError({ reason }))
}
