/** The backend in DynamoDB and compatible servers. */
import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  CreateTableCommand,
  DeleteItemCommand,
  DescribeTableCommand,
  DynamoDBClient,
  type DynamoDBClientConfig,
  GetItemCommand,
  ListTablesCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TransactGetItemsCommand,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  type WriteRequest
} from "@aws-sdk/client-dynamodb"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { DynamoUnavailable } from "../../Contract/DynamoErrors.ts"
import * as AwsReplies from "../../Plugin/AwsReplies.ts"
import * as AwsSettings from "../../Plugin/AwsSettings.ts"
import * as AwsErrors from "./AwsErrors.ts"
import type {
  Backend,
  BatchWrite,
  Definition,
  Guard,
  KeySchema,
  StoreFailure,
  TransactionWrite
} from "./Backend.ts"
import type { Settings } from "./DynamoDbConfig.ts"
import * as Expressions from "./Expressions.ts"
import * as Marshal from "./Marshal.ts"

/** The number of checks whether a table has been created, and the time between them. */
const [createAttempts, createDelay] = [120, Duration.millis(500)]

const settingsOf = (settings: Settings): DynamoDBClientConfig => ({
  ...AwsSettings.options(settings),
  maxAttempts: settings.maxAttempts
})

/** Returns the members of a request that has a condition. */
const guarded = ({ expression, wantsItem }: Guard, to: Expressions.Placeholders) => {
  const condition = expression === undefined ? undefined : Expressions.text(expression, to)
  return {
    ...(condition === undefined ? {} : { ConditionExpression: condition }),
    ...to.members(),
    ...(wantsItem ? { ReturnValuesOnConditionCheckFailure: "ALL_OLD" as const } : {})
  }
}

const keySchema = ({ partition, sort }: KeySchema) => [
  { AttributeName: partition, KeyType: "HASH" as const },
  ...(sort === undefined ? [] : [{ AttributeName: sort, KeyType: "RANGE" as const }])
]

const createOf = ({ indexes, key, name, types }: Definition) => {
  const all = Object.entries(indexes).map(([index, each]) => ({
    IndexName: index,
    KeySchema: keySchema(each),
    Projection: { ProjectionType: "ALL" as const }
  }))
  return new CreateTableCommand({
    AttributeDefinitions: Object.entries(types).map(([attribute, type]) => ({
      AttributeName: attribute,
      AttributeType: type
    })),
    BillingMode: "PAY_PER_REQUEST",
    ...(all.length === 0 ? {} : { GlobalSecondaryIndexes: all }),
    KeySchema: keySchema(key),
    TableName: name
  })
}

const batchRequest = (write: BatchWrite): WriteRequest =>
  write.op === "put"
    ? { PutRequest: { Item: Marshal.attributes(write.item) } }
    : { DeleteRequest: { Key: Marshal.attributes(write.key) } }

const batchWriteOf = ({ DeleteRequest, PutRequest }: WriteRequest): BatchWrite =>
  PutRequest === undefined
    ? { key: Marshal.plainAttributes(DeleteRequest?.Key ?? {}), op: "delete" }
    : { item: Marshal.plainAttributes(PutRequest.Item ?? {}), op: "put" }

const transactionWrite = (write: TransactionWrite): TransactWriteItem => {
  const to = new Expressions.Placeholders()
  const TableName = write.table
  if (write.op === "put") {
    const Item = Marshal.attributes(write.item)
    return { Put: { Item, TableName, ...guarded(write.guard, to) } }
  }
  const Key = Marshal.attributes(write.key)
  switch (write.op) {
    case "check": {
      const { ConditionExpression = "", ...rest } = guarded(write.guard, to)
      return { ConditionCheck: { ...rest, ConditionExpression, Key, TableName } }
    }
    case "delete":
      return { Delete: { Key, TableName, ...guarded(write.guard, to) } }
    case "update": {
      const UpdateExpression = Expressions.update(write.change, to)
      return { Update: { Key, TableName, UpdateExpression, ...guarded(write.guard, to) } }
    }
  }
}

const tablesOf = (parts: ReadonlyArray<{ readonly table: string }>): string =>
  [...new Set(parts.map(({ table }) => table))].join(", ")

/** Opens a backend. Its client closes with the scope. */
export const make = (settings: Settings): Effect.Effect<Backend, never, Scope.Scope> =>
  Effect.gen(function* () {
    const client = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const made = new DynamoDBClient(settingsOf(settings))
        made.middlewareStack.add(AwsReplies.bounded(undefined), AwsReplies.place)
        return made
      }),
      (opened) => Effect.sync(() => opened.destroy())
    )

    /** Sends a request. An interruption aborts it. */
    const call = <A, E = StoreFailure>(
      operation: string,
      table: string,
      send: (options: { readonly abortSignal: AbortSignal }) => Promise<A>,
      failureOf: (
        operation: string,
        table: string,
        error: unknown
      ) => E | StoreFailure = AwsErrors.failure
    ): Effect.Effect<A, E | StoreFailure> =>
      Effect.tryPromise({
        catch: (error) => failureOf(operation, table, error),
        try: (abortSignal) => send({ abortSignal })
      })

    const describe = (table: string) =>
      call("describe", table, (options) =>
        client.send(new DescribeTableCommand({ TableName: table }), options)
      ).pipe(Effect.map(({ Table }) => Table?.TableStatus))

    return {
      batchGet: (table, keys, isConsistent) =>
        call("batchGet", table, (options) =>
          client.send(
            new BatchGetItemCommand({
              RequestItems: {
                [table]: { ConsistentRead: isConsistent, Keys: keys.map(Marshal.attributes) }
              }
            }),
            options
          )
        ).pipe(
          Effect.map(({ Responses, UnprocessedKeys }) => ({
            items: (Responses?.[table] ?? []).map(Marshal.plainAttributes),
            unprocessed: (UnprocessedKeys?.[table]?.Keys ?? []).map(Marshal.plainAttributes)
          }))
        ),
      batchWrite: (table, writes) =>
        call("batchWrite", table, (options) =>
          client.send(
            new BatchWriteItemCommand({ RequestItems: { [table]: writes.map(batchRequest) } }),
            options
          )
        ).pipe(
          Effect.map(({ UnprocessedItems }) => (UnprocessedItems?.[table] ?? []).map(batchWriteOf))
        ),
      create: Effect.fnUntraced(function* (definition) {
        const { name } = definition
        const exists = yield* describe(name).pipe(
          Effect.as(true),
          Effect.catchTag("TableNotFound", () => Effect.succeed(false))
        )
        if (!exists) {
          yield* call("create", name, async (options) => {
            try {
              await client.send(createOf(definition), options)
            } catch (error) {
              // Another process creates it at this moment.
              if (!(error instanceof Error) || error.name !== "ResourceInUseException") throw error
            }
          })
        }
        for (let n = 0; n < createAttempts; n++) {
          if ((yield* describe(name)) === "ACTIVE") return
          yield* Effect.sleep(createDelay)
        }
        const reason = "the table exists, and cannot be used after a minute"
        return yield* new DynamoUnavailable({ operation: "create", reason, table: name })
      }),
      delete: (table, key, guard) =>
        call(
          "delete",
          table,
          (options) =>
            client.send(
              new DeleteItemCommand({
                Key: Marshal.attributes(key),
                TableName: table,
                ...guarded(guard, new Expressions.Placeholders())
              }),
              options
            ),
          AwsErrors.ofWrite
        ).pipe(Effect.asVoid),
      get: (table, key, isConsistent) =>
        call("get", table, (options) =>
          client.send(
            new GetItemCommand({
              ConsistentRead: isConsistent,
              Key: Marshal.attributes(key),
              TableName: table
            }),
            options
          )
        ).pipe(
          Effect.map(({ Item }) => (Item === undefined ? undefined : Marshal.plainAttributes(Item)))
        ),
      page: ({ after, descending, filter, index, isConsistent, key, limit, table }) => {
        const to = new Expressions.Placeholders()
        const input = {
          ...(key === undefined
            ? {}
            : {
                KeyConditionExpression: Expressions.text(key, to),
                ScanIndexForward: !descending
              }),
          ...(filter === undefined ? {} : { FilterExpression: Expressions.text(filter, to) }),
          ...to.members(),
          ConsistentRead: isConsistent,
          ...(after === undefined ? {} : { ExclusiveStartKey: Marshal.attributes(after) }),
          ...(index === undefined ? {} : { IndexName: index }),
          ...(limit === undefined ? {} : { Limit: limit }),
          TableName: table
        }
        const sent =
          key === undefined
            ? call("scan", table, (options) => client.send(new ScanCommand(input), options))
            : call("query", table, (options) => client.send(new QueryCommand(input), options))
        return Effect.map(sent, ({ Items = [], LastEvaluatedKey }) => ({
          items: Items.map(Marshal.plainAttributes),
          next:
            LastEvaluatedKey === undefined ? undefined : Marshal.plainAttributes(LastEvaluatedKey)
        }))
      },
      ping: (tables) =>
        tables.length === 0
          ? call("ping", "", (options) =>
              client.send(new ListTablesCommand({ Limit: 1 }), options)
            ).pipe(Effect.asVoid)
          : Effect.forEach(tables, describe, { concurrency: 4, discard: true }),
      put: (table, item, guard) =>
        call(
          "put",
          table,
          (options) =>
            client.send(
              new PutItemCommand({
                Item: Marshal.attributes(item),
                TableName: table,
                ...guarded(guard, new Expressions.Placeholders())
              }),
              options
            ),
          AwsErrors.ofWrite
        ).pipe(Effect.asVoid),
      transactGet: (reads) =>
        call(
          "transactGet",
          tablesOf(reads),
          (options) =>
            client.send(
              new TransactGetItemsCommand({
                TransactItems: reads.map(({ key, table }) => ({
                  Get: { Key: Marshal.attributes(key), TableName: table }
                }))
              }),
              options
            ),
          AwsErrors.ofTransaction
        ).pipe(
          Effect.map(({ Responses = [] }) =>
            Responses.map(({ Item }) =>
              Item === undefined ? undefined : Marshal.plainAttributes(Item)
            )
          )
        ),
      transactWrite: (writes, token) =>
        call(
          "transactWrite",
          tablesOf(writes),
          (options) =>
            client.send(
              new TransactWriteItemsCommand({
                TransactItems: writes.map(transactionWrite),
                ...(token === undefined ? {} : { ClientRequestToken: token })
              }),
              options
            ),
          AwsErrors.ofTransaction
        ).pipe(Effect.asVoid),
      update: (table, key, change, guard) => {
        const to = new Expressions.Placeholders()
        const UpdateExpression = Expressions.update(change, to)
        return call(
          "update",
          table,
          (options) =>
            client.send(
              new UpdateItemCommand({
                Key: Marshal.attributes(key),
                ReturnValues: "ALL_NEW",
                TableName: table,
                UpdateExpression,
                ...guarded(guard, to)
              }),
              options
            ),
          AwsErrors.ofUpdate
        ).pipe(Effect.map(({ Attributes = {} }) => Marshal.plainAttributes(Attributes)))
      }
    }
  })
