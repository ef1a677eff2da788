/** The service of DynamoDB, and the types of its tables. */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { InvalidItem, ItemTooLarge, ItemUndecodable } from "../../Contract/DynamoErrors.ts"
import type { KeyAttributes, StoreFailure } from "./Backend.ts"
import type { Range, Where } from "./Condition.ts"
import type { Read, Write } from "./Parts.ts"
import type { Any, Indexes, IndexKey, Table } from "./Table.ts"

/** What a read may fail with. */
export type ReadFailure = InvalidItem | ItemUndecodable | StoreFailure

/** What a write may fail with, beside its condition. */
export type WriteFailure = InvalidItem | ItemTooLarge | StoreFailure

/** The condition of a write does not hold. Nothing was written. */
export class ConditionFailed<out Item = unknown> extends Data.TaggedError("ConditionFailed")<{
  readonly item: unknown
  readonly key: KeyAttributes
  readonly table: string
}> {
  /** The item as it is, if the write has `returnItem`; undefined if there is none. */
  declare readonly item: Item | undefined

  override get message(): string {
    return `The item ${JSON.stringify(this.key)} of the table ${JSON.stringify(this.table)} does not meet the condition of the write.`
  }
}

/** Part of a batch was not processed, although it was sent again several times. */
export class BatchIncomplete extends Data.TaggedError("BatchIncomplete")<{
  /** How often a request was sent that had no effect. */
  readonly attempts: number
  /** The keys that were not processed. */
  readonly keys: ReadonlyArray<KeyAttributes>
  readonly table: string
}> {
  override get message(): string {
    return `DynamoDB did not process ${this.keys.length} keys of a batch for the table ${JSON.stringify(this.table)} in ${this.attempts} attempts. Send them again later, or raise the capacity of the table.`
  }
}

/** Why a transaction was cancelled, for one of its parts. */
export interface CancelReason {
  /**
   * What DynamoDB says: `None` if this part is not the reason, `ConditionalCheckFailed` if its condition does not
   * hold, `TransactionConflict` if another write was faster, or another code.
   */
  readonly code: string
  /** The stored item, undecoded, if the part has `returnItem` and its condition does not hold. */
  readonly item: unknown
  readonly key: KeyAttributes
  readonly table: string
}

/** A transaction was cancelled. Nothing of it was done. */
export class TransactionCancelled extends Data.TaggedError("TransactionCancelled")<{
  /** One for each part of the transaction, in the order of the parts. */
  readonly reasons: ReadonlyArray<CancelReason>
}> {
  override get message(): string {
    const found = this.reasons.filter(({ code }) => code !== "None")
    return `The transaction was cancelled: ${found.map(({ code, key, table }) => `${code} for ${JSON.stringify(key)} of ${JSON.stringify(table)}`).join(", ")}.`
  }
}

/** The condition of a `put`: no item of the key, an item of the key, or one whose attributes pass tests. */
export type WriteCondition<Item> = "absent" | "present" | Where<Item>

/** The options of a write with a condition. */
export interface Conditional<If> {
  readonly if: If
  /** Whether `ConditionFailed` has the item. The default is false. */
  readonly returnItem?: boolean | undefined
}

/** The options of a read. */
export interface Consistency {
  /** Whether the read sees every write that has ended before. The default is false, which costs half. */
  readonly consistent?: boolean | undefined
}

/** The options of a scan. */
export interface ScanOptions<Item, After> {
  /** Continues behind the item with these keys. An item itself is right. */
  readonly after?: After | undefined
  /** The most items of the stream. The default is all. */
  readonly limit?: number | undefined
  /** The most items that one request looks at. The default is 1 MB of items. */
  readonly pageSize?: number | undefined
  /** Drops items. DynamoDB reads and charges them all the same. A query has no tests of its key here. */
  readonly where?: Where<Item> | undefined
}

/** The options of a query. */
export interface QueryOptions<
  Item,
  After,
  Key extends keyof Item,
  Sort extends keyof Item
> extends ScanOptions<Omit<Item, Key>, After> {
  /** Whether the greatest sort key comes first. The default is false. */
  readonly descending?: boolean | undefined
  /** A test of the sort key, or its value. */
  readonly sort?: [Sort] extends [never]
    ? undefined
    : Exclude<Item[Sort], undefined> | Range<Exclude<Item[Sort], undefined>> | undefined
}

/** The attributes that an item need not have. */
export type OptionalName<Item> = {
  [Name in keyof Item]-?: {} extends Pick<Item, Name> ? Name : never
}[keyof Item]

/** The attributes that are numbers. */
export type NumberName<Item> = {
  [Name in keyof Item]-?: Exclude<Item[Name], undefined> extends number ? Name : never
}[keyof Item]

/** What an update changes. The key cannot change. */
export interface Update<Item, Key extends keyof Item> {
  /** Adds numbers to attributes. An attribute that does not exist counts as 0. */
  readonly add?:
    | { readonly [Name in Exclude<NumberName<Item>, Key>]?: number | undefined }
    | undefined
  readonly remove?: ReadonlyArray<Exclude<OptionalName<Item>, Key>> | undefined
  /** Replaces attributes. One whose value is undefined stays as it is. */
  readonly set?:
    | { readonly [Name in Exclude<keyof Item, Key>]?: Item[Name] | undefined }
    | undefined
}

/** The type of `put`. */
export interface Put<Item> {
  (item: Item): Effect.Effect<void, WriteFailure>
  (
    item: Item,
    options: Conditional<WriteCondition<Item>>
  ): Effect.Effect<void, ConditionFailed<Item> | ItemUndecodable | WriteFailure>
}

/** The type of `delete`. */
export interface Delete<Item, Key extends keyof Item> {
  (key: Pick<Item, Key>): Effect.Effect<void, InvalidItem | StoreFailure>
  (
    key: Pick<Item, Key>,
    options: Conditional<"present" | Where<Item>>
  ): Effect.Effect<void, ConditionFailed<Item> | InvalidItem | ItemUndecodable | StoreFailure>
}

/** An index of a table. */
export interface OpenIndex<Item, Key extends keyof Item, Index extends IndexKey<keyof Item>> {
  /** Reads the items of a partition in the order of the sort key, page by page as they are needed. */
  readonly query: (
    partition: Exclude<Item[Index["partitionKey"]], undefined>,
    options?: QueryOptions<
      Item,
      Pick<Item, Key | NamesOf<Item, Index>>,
      NamesOf<Item, Index>,
      Extract<SortOf<Index>, keyof Item>
    >
  ) => Stream.Stream<Item, ReadFailure>
  /** Reads all items that the index has, page by page as they are needed. */
  readonly scan: (
    options?: ScanOptions<Item, Pick<Item, Key | NamesOf<Item, Index>>>
  ) => Stream.Stream<Item, ReadFailure>
}

type NamesOf<Item, Index extends IndexKey> = Extract<
  Index["partitionKey"] | SortOf<Index>,
  keyof Item
>

type SortOf<Index extends IndexKey> = Index extends {
  readonly sortKey: infer Sort extends PropertyKey
}
  ? Sort
  : never

/** The parts of transactions. Give them to `transactWrite` and `transactGet` of `DynamoDb`. */
export interface Transact<Item, Key extends keyof Item> {
  /** Checks an item that the transaction does not write. */
  readonly check: (key: Pick<Item, Key>, options: Conditional<WriteCondition<Item>>) => Write
  readonly delete: (key: Pick<Item, Key>, options?: Conditional<"present" | Where<Item>>) => Write
  readonly get: (key: Pick<Item, Key>) => Read<Item>
  readonly put: (item: Item, options?: Conditional<WriteCondition<Item>>) => Write
  readonly update: (
    key: Pick<Item, Key>,
    update: Update<Item, Key>,
    options?: Conditional<Where<Item>>
  ) => Write
}

/** A table. */
export interface OpenTable<
  Item,
  PartitionKey extends keyof Item,
  SortKey extends keyof Item,
  I extends Indexes<Item>
> {
  /**
   * Reads items, 100 in a request. Returns an item for each key in the order of the keys, undefined if there is
   * none.
   */
  readonly batchGet: (
    keys: ReadonlyArray<Pick<Item, PartitionKey | SortKey>>,
    options?: Consistency
  ) => Effect.Effect<ReadonlyArray<Item | undefined>, BatchIncomplete | ReadFailure>
  /**
   * Writes items without conditions, 25 in a request. The writes are not one transaction: if it fails, some may
   * have been carried out. A key may be in it once.
   */
  readonly batchWrite: (writes: {
    readonly delete?: ReadonlyArray<Pick<Item, PartitionKey | SortKey>> | undefined
    readonly put?: ReadonlyArray<Item> | undefined
  }) => Effect.Effect<void, BatchIncomplete | WriteFailure>
  /** Deletes an item. Without a condition, it also succeeds if the item does not exist. */
  readonly delete: Delete<Item, PartitionKey | SortKey>
  /** Reads an item. Returns undefined if the item does not exist. */
  readonly get: (
    key: Pick<Item, PartitionKey | SortKey>,
    options?: Consistency
  ) => Effect.Effect<Item | undefined, ReadFailure>
  /** Returns an index of the table. */
  readonly index: <Name extends keyof I & string>(
    name: Name
  ) => OpenIndex<Item, PartitionKey | SortKey, I[Name]>
  /** The name of the table with `dynamoDb.tablePrefix`. */
  readonly name: string
  /** Stores an item. It replaces an item of its key, unless it has a condition. */
  readonly put: Put<Item>
  /** Reads the items of a partition in the order of the sort key, page by page as they are needed. */
  readonly query: (
    partition: Item[PartitionKey],
    options?: Consistency &
      QueryOptions<Item, Pick<Item, PartitionKey | SortKey>, PartitionKey | SortKey, SortKey>
  ) => Stream.Stream<Item, ReadFailure>
  /** Reads all items, page by page as they are needed. */
  readonly scan: (
    options?: Consistency & ScanOptions<Item, Pick<Item, PartitionKey | SortKey>>
  ) => Stream.Stream<Item, ReadFailure>
  readonly transact: Transact<Item, PartitionKey | SortKey>
  /**
   * Changes an item and returns it as it is afterwards. Fails with `ConditionFailed` if there is no item: an
   * update never creates one.
   */
  readonly update: (
    key: Pick<Item, PartitionKey | SortKey>,
    update: Update<Item, PartitionKey | SortKey>,
    options?: Conditional<Where<Item>>
  ) => Effect.Effect<Item, ConditionFailed<Item> | ItemUndecodable | WriteFailure>
}

/** Items of the reads of a transaction. */
export type ItemsOf<Reads extends ReadonlyArray<Read<unknown>>> = {
  readonly [N in keyof Reads]: Reads[N] extends Read<infer Item> ? Item | undefined : never
}

/** Tables of DynamoDB. `DynamoDb.plugin` provides it. */
export interface Shape {
  /**
   * Creates a table with its indexes, pays per request, and waits until the table can be used. Succeeds if it
   * exists. For tests and development: in production, what creates the other resources creates the tables.
   */
  readonly create: (table: Any) => Effect.Effect<void, StoreFailure>
  /** Fails unless every table that `table` has opened can be used. */
  readonly ping: Effect.Effect<void, StoreFailure>
  /** Opens a table. Sends no request. */
  readonly table: <
    Item,
    PartitionKey extends keyof Item,
    SortKey extends keyof Item,
    I extends Indexes<Item>
  >(
    table: Table<Item, PartitionKey, SortKey, I>
  ) => OpenTable<Item, PartitionKey, SortKey, I>
  /** Reads up to 100 items as they are at one time. Returns them in order, undefined if there is none. */
  readonly transactGet: <const Reads extends ReadonlyArray<Read<unknown>>>(
    reads: Reads
  ) => Effect.Effect<ItemsOf<Reads>, ReadFailure | TransactionCancelled>
  /**
   * Carries out up to 100 writes, all or none. DynamoDB carries out transactions with the same `token` once within
   * ten minutes. Without one, the retries of the client have one.
   */
  readonly transactWrite: (
    writes: ReadonlyArray<Write>,
    options?: { readonly token?: string | undefined }
  ) => Effect.Effect<void, TransactionCancelled | WriteFailure>
}

/** Tables of DynamoDB with items of a schema. */
export class DynamoDb extends Context.Service<DynamoDb, Shape>()("flange/DynamoDb/DynamoDb") {}
