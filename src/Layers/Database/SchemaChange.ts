/**
 * The errors of statements whose tables have changed since the statement was prepared, or
 * since the transaction began. They run in a new transaction.
 */
import { SerializationError, type SqlError } from "effect/sql/SqlError"

const operation = "schemaChange"

/** Returns the reason of such an error. */
export const reason = (props: {
  readonly cause: unknown
  readonly message: string
}): SerializationError => new SerializationError({ ...props, operation })

/** Whether the error is one of them. */
export const isSchemaChange = (error: SqlError): boolean => error.reason.operation === operation
