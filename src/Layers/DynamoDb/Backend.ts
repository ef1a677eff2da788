/** The interface of the backends. They know items in their stored form. */
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type {
  DynamoRefused,
  DynamoThrottled,
  DynamoUnavailable,
  ItemTooLarge,
  TableNotFound
} from "../../Contract/DynamoErrors.ts"

/** The failures of every operation: the table cannot be used. */
export type StoreFailure = DynamoRefused | DynamoThrottled | DynamoUnavailable | TableNotFound

/** A value in its stored form. */
export type Value =
  | boolean
  | number
  | ReadonlyArray<Value>
  | string
  | { readonly [name: string]: Value }
  | null

/** An item, or a key, in its stored form. */
export type Attributes = Readonly<Record<string, Value>>

/** A key as errors name it. */
export type KeyAttributes = Readonly<Record<string, number | string>>

/** A condition of a write, or a filter. */
export type Expression =
  | { readonly all: ReadonlyArray<Expression>; readonly op: "and" | "or" }
  | {
      readonly attribute: string
      readonly high: Value
      readonly low: Value
      readonly op: "between"
    }
  | {
      readonly attribute: string
      readonly op: "compare"
      readonly symbol: "<" | "<=" | "<>" | "=" | ">" | ">="
      readonly value: Value
    }
  | { readonly attribute: string; readonly op: "absent" | "exists" }
  | { readonly attribute: string; readonly op: "begins"; readonly prefix: string }
  | { readonly attribute: string; readonly op: "contains"; readonly value: Value }
  | { readonly attribute: string; readonly op: "in"; readonly values: ReadonlyArray<Value> }
  | { readonly expression: Expression; readonly op: "not" }

/** The condition of a write, and whether the item is wanted if it does not hold. */
export interface Guard {
  readonly expression: Expression | undefined
  readonly wantsItem: boolean
}

/** What an update changes. */
export interface Change {
  readonly add: Readonly<Record<string, number>>
  readonly remove: ReadonlyArray<string>
  readonly set: Attributes
}

/** The type of a key attribute: number or text. */
export type KeyType = "N" | "S"

/** The key of a table or of an index. */
export interface KeySchema {
  readonly partition: string
  readonly sort: string | undefined
}

/** What is needed to create a table. */
export interface Definition {
  readonly indexes: Readonly<Record<string, KeySchema>>
  readonly key: KeySchema
  readonly name: string
  /** The types of the attributes of all keys. */
  readonly types: Readonly<Record<string, KeyType>>
}

/** One page of a query or of a scan. */
export interface PageRequest {
  /** The key behind which the page begins. */
  readonly after: Attributes | undefined
  readonly descending: boolean
  readonly filter: Expression | undefined
  readonly index: string | undefined
  readonly isConsistent: boolean
  /** The expression of the key. Undefined for a scan. */
  readonly key: Expression | undefined
  /** The most items that are looked at. */
  readonly limit: number | undefined
  readonly table: string
}

/** The items of a page that pass the filter, and where the next page begins. */
export interface Page {
  readonly items: ReadonlyArray<Attributes>
  readonly next: Attributes | undefined
}

/** One write of a batch. */
export type BatchWrite =
  | { readonly item: Attributes; readonly op: "put" }
  | { readonly key: Attributes; readonly op: "delete" }

/** One write of a transaction. */
export type TransactionWrite =
  | {
      readonly change: Change
      readonly guard: Guard
      readonly key: Attributes
      readonly op: "update"
      readonly table: string
    }
  | {
      readonly guard: Guard
      readonly item: Attributes
      readonly op: "put"
      readonly table: string
    }
  | {
      readonly guard: Guard
      readonly key: Attributes
      readonly op: "check" | "delete"
      readonly table: string
    }

/** One read of a transaction. */
export interface TransactionRead {
  readonly key: Attributes
  readonly table: string
}

/** Why a transaction was cancelled, for one of its parts. `None` for a part that is not the reason. */
export interface StoredReason {
  readonly code: string
  readonly item: Attributes | undefined
}

/** The condition of a write does not hold. */
export class Unmet extends Data.TaggedError("Unmet")<{
  readonly item: Attributes | undefined
}> {}

/** A transaction was cancelled. */
export class Cancelled extends Data.TaggedError("Cancelled")<{
  readonly reasons: ReadonlyArray<StoredReason>
}> {}

/** A backend. Names of tables have their prefix, and items were checked. */
export interface Backend {
  /** Reads up to 100 items. Returns the keys that were not processed. */
  readonly batchGet: (
    table: string,
    keys: ReadonlyArray<Attributes>,
    isConsistent: boolean
  ) => Effect.Effect<
    { readonly items: ReadonlyArray<Attributes>; readonly unprocessed: ReadonlyArray<Attributes> },
    StoreFailure
  >
  /** Carries out up to 25 writes. Returns those that were not processed. */
  readonly batchWrite: (
    table: string,
    writes: ReadonlyArray<BatchWrite>
  ) => Effect.Effect<ReadonlyArray<BatchWrite>, StoreFailure>
  /** Creates a table and waits until it can be used. Succeeds if it exists. */
  readonly create: (definition: Definition) => Effect.Effect<void, StoreFailure>
  readonly delete: (
    table: string,
    key: Attributes,
    guard: Guard
  ) => Effect.Effect<void, StoreFailure | Unmet>
  readonly get: (
    table: string,
    key: Attributes,
    isConsistent: boolean
  ) => Effect.Effect<Attributes | undefined, StoreFailure>
  readonly page: (request: PageRequest) => Effect.Effect<Page, StoreFailure>
  /** Fails unless each table can be used; with no table, unless the server answers. */
  readonly ping: (tables: ReadonlyArray<string>) => Effect.Effect<void, StoreFailure>
  readonly put: (
    table: string,
    item: Attributes,
    guard: Guard
  ) => Effect.Effect<void, StoreFailure | Unmet>
  readonly transactGet: (
    reads: ReadonlyArray<TransactionRead>
  ) => Effect.Effect<ReadonlyArray<Attributes | undefined>, Cancelled | StoreFailure>
  readonly transactWrite: (
    writes: ReadonlyArray<TransactionWrite>,
    token: string | undefined
  ) => Effect.Effect<void, Cancelled | StoreFailure>
  /** Returns the item after the change. */
  readonly update: (
    table: string,
    key: Attributes,
    change: Change,
    guard: Guard
  ) => Effect.Effect<Attributes, ItemTooLarge | StoreFailure | Unmet>
}
