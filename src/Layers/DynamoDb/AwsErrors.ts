/** The failures of the AWS SDK as those of the tables. */
import { hasProperty } from "effect/Predicate"
import {
  DynamoRefused,
  DynamoThrottled,
  DynamoUnavailable,
  ItemTooLarge,
  TableNotFound
} from "../../Contract/DynamoErrors.ts"
import { Cancelled, type StoredReason, type StoreFailure, Unmet } from "./Backend.ts"
import * as ItemSize from "./ItemSize.ts"
import * as Marshal from "./Marshal.ts"

const maxReason = 300

const throttled: ReadonlySet<string> = new Set([
  "LimitExceededException",
  "ProvisionedThroughputExceededException",
  "RequestLimitExceeded",
  "Throttling",
  "ThrottlingException"
])

/** Other writers were faster. The same request may succeed later. */
const busy: ReadonlySet<string> = new Set([
  "ReplicatedWriteConflictException",
  "TransactionConflictException",
  "TransactionInProgressException"
])

const refused: ReadonlySet<string> = new Set(["CredentialsProviderError", "TokenProviderError"])

const statusOf = (error: unknown): number | undefined =>
  hasProperty(error, "$metadata") &&
  hasProperty(error.$metadata, "httpStatusCode") &&
  typeof error.$metadata.httpStatusCode === "number"
    ? error.$metadata.httpStatusCode
    : undefined

/** Returns the failure of an operation that has no other meaning for the caller. */
export const failure = (operation: string, table: string, error: unknown): StoreFailure => {
  const name = hasProperty(error, "name") ? String(error.name) : "Error"
  const message = hasProperty(error, "message") ? String(error.message) : ""
  const status = statusOf(error)
  const reason = `${name} ${status ?? "without an answer"}: ${message}`
    .replaceAll(/\s+/g, " ")
    .slice(0, maxReason)
  if (name === "ResourceNotFoundException") return new TableNotFound({ table })
  if (throttled.has(name)) return new DynamoThrottled({ operation, reason, table })
  const isRefused = refused.has(name) || (status !== undefined && status >= 400 && status < 500)
  return isRefused && !busy.has(name)
    ? new DynamoRefused({ operation, reason, table })
    : new DynamoUnavailable({ operation, reason, table })
}

const itemOf = (holder: unknown) =>
  hasProperty(holder, "Item") && typeof holder.Item === "object" && holder.Item !== null
    ? Marshal.plainAttributes(holder.Item as Readonly<Record<string, Marshal.Marshalled>>) // as the SDK types it
    : undefined

/** Returns the failure of a write with a condition. */
export const ofWrite = (operation: string, table: string, error: unknown): StoreFailure | Unmet =>
  hasProperty(error, "name") && error.name === "ConditionalCheckFailedException"
    ? new Unmet({ item: itemOf(error) })
    : failure(operation, table, error)

/** Returns the failure of an update, which may make an item too large. */
export const ofUpdate = (
  operation: string,
  table: string,
  error: unknown
): ItemTooLarge | StoreFailure | Unmet =>
  hasProperty(error, "name") &&
  error.name === "ValidationException" &&
  hasProperty(error, "message") &&
  /item size/i.test(String(error.message))
    ? new ItemTooLarge({ limit: ItemSize.maxItem, table })
    : ofWrite(operation, table, error)

const reasonOf = (reason: unknown): StoredReason => ({
  code: hasProperty(reason, "Code") ? String(reason.Code) : "None",
  item: itemOf(reason)
})

/** Returns the failure of a transaction. */
export const ofTransaction = (
  operation: string,
  table: string,
  error: unknown
): Cancelled | StoreFailure =>
  hasProperty(error, "name") && error.name === "TransactionCanceledException"
    ? new Cancelled({
        reasons:
          hasProperty(error, "CancellationReasons") && Array.isArray(error.CancellationReasons)
            ? error.CancellationReasons.map(reasonOf)
            : []
      })
    : failure(operation, table, error)
