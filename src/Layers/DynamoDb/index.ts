/** DynamoDB: tables with items of a schema, conditions, queries as streams, batches and transactions. */

export type { KeyAttributes, StoreFailure } from "./Backend.ts"
export * as Condition from "./Condition.ts"
export {
  BatchIncomplete,
  type CancelReason,
  type Conditional,
  ConditionFailed,
  type Consistency,
  type Delete,
  DynamoDb,
  type ItemsOf,
  type NumberName,
  type OpenIndex,
  type OpenTable,
  type OptionalName,
  type Put,
  type QueryOptions,
  type ReadFailure,
  type ScanOptions,
  type Shape,
  type Transact,
  TransactionCancelled,
  type Update,
  type WriteCondition,
  type WriteFailure
} from "./DynamoDb.ts"
export { DynamoDbConfig } from "./DynamoDbConfig.ts"
export { DynamoDbClientMissing, plugin } from "./DynamoDbPlugin.ts"
export type { Read, Write } from "./Parts.ts"
export * as Table from "./Table.ts"
