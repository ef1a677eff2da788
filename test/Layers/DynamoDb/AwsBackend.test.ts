// What goes over the wire to DynamoDB, and what its replies mean. dynalite has no transactions, does not throttle and
// processes every batch, so this is proved against a stub.
import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as AwsBackend from "../../../src/Layers/DynamoDb/AwsBackend.ts"
import * as Condition from "../../../src/Layers/DynamoDb/Condition.ts"
import { awsServer, type Reply } from "./awsServer.ts"
import { serviceOf, settings } from "./backends.ts"
import { Order, order, Orders, Users } from "./conformance.ts"

const open = (reply: Reply, values: object = {}) =>
  Effect.gen(function* () {
    const { closed, endpoint, sent } = yield* awsServer(reply)
    const backend = yield* AwsBackend.make(settings({ endpoint, maxAttempts: 1, ...values }))
    const dynamo = yield* serviceOf(backend)
    return { closed, dynamo, orders: dynamo.table(Orders), sent, users: dynamo.table(Users) }
  })

const failing = (name: string, more: object = {}) => ({
  __type: `com.amazonaws.dynamodb.v20120810#${name}`,
  message: "the reason",
  ...more
})

describe("transactions over the wire", () => {
  it.live("writes are sent with their conditions and one token for all retries", () =>
    Effect.gen(function* () {
      let count = 0
      const { dynamo, orders, sent, users } = yield* open(
        () => (count++ === 0 ? { ...failing("InternalServerError"), status: 500 } : {}),
        { maxAttempts: 2 }
      )
      yield* dynamo.transactWrite([
        orders.transact.put(order("1", { tags: ["a"], total: 5 }), { if: "absent" }),
        users.transact.update(
          { id: "u" },
          { add: { visits: 1 } },
          { if: { visits: Condition.lessThan(9) }, returnItem: true }
        ),
        users.transact.check({ id: "v" }, { if: "present" }),
        users.transact.delete({ id: "w" })
      ])
      expect(sent.map(({ operation }) => operation)).toEqual([
        "TransactWriteItems",
        "TransactWriteItems"
      ])
      const [{ body }, again] = [sent[0]!, sent[1]!.body]
      expect(body["ClientRequestToken"]).toMatch(/^[\da-f-]{36}$/)
      expect(again["ClientRequestToken"]).toBe(body["ClientRequestToken"])
      expect(body["TransactItems"]).toEqual([
        {
          Put: {
            ConditionExpression: "attribute_not_exists(#n0)",
            ExpressionAttributeNames: { "#n0": "customer" },
            Item: {
              customer: { S: "acme" },
              id: { S: "1" },
              status: { S: "open" },
              tags: { L: [{ S: "a" }] },
              total: { N: "5" }
            },
            TableName: "test-orders"
          }
        },
        {
          Update: {
            ConditionExpression: "(attribute_exists(#n1) and #n0 < :v1)",
            ExpressionAttributeNames: { "#n0": "visits", "#n1": "id" },
            ExpressionAttributeValues: { ":v0": { N: "1" }, ":v1": { N: "9" } },
            Key: { id: { S: "u" } },
            ReturnValuesOnConditionCheckFailure: "ALL_OLD",
            TableName: "test-users",
            UpdateExpression: "add #n0 :v0"
          }
        },
        {
          ConditionCheck: {
            ConditionExpression: "attribute_exists(#n0)",
            ExpressionAttributeNames: { "#n0": "id" },
            Key: { id: { S: "v" } },
            TableName: "test-users"
          }
        },
        { Delete: { Key: { id: { S: "w" } }, TableName: "test-users" } }
      ])
      yield* dynamo.transactWrite([users.transact.delete({ id: "w" })], { token: "t-1" })
      expect(sent[2]!.body["ClientRequestToken"]).toBe("t-1")
    })
  )

  it.live("a cancelled transaction has a reason for each part", () =>
    Effect.gen(function* () {
      const { dynamo, orders, users } = yield* open(() =>
        failing("TransactionCanceledException", {
          CancellationReasons: [
            { Code: "None" },
            {
              Code: "ConditionalCheckFailed",
              Item: { id: { S: "u" }, visits: { N: "9" } },
              Message: "The conditional request failed"
            },
            { Code: "TransactionConflict", Message: "busy" }
          ]
        })
      )
      const error = yield* Effect.flip(
        dynamo.transactWrite([
          orders.transact.put(order("1")),
          users.transact.put({ id: "u", visits: 1 }, { if: "absent", returnItem: true }),
          users.transact.delete({ id: "v" })
        ])
      )
      expect(error).toMatchObject({
        _tag: "TransactionCancelled",
        reasons: [
          { code: "None", key: { customer: "acme", id: "1" }, table: "test-orders" },
          {
            code: "ConditionalCheckFailed",
            item: { id: "u", visits: 9 },
            key: { id: "u" },
            table: "test-users"
          },
          { code: "TransactionConflict", key: { id: "v" } }
        ]
      })
      expect(error.message).toContain('ConditionalCheckFailed for {"id":"u"} of "test-users"')
    })
  )

  it.live("reads return their items in order", () =>
    Effect.gen(function* () {
      const { dynamo, orders, sent, users } = yield* open(() => ({
        Responses: [
          {},
          {
            Item: {
              customer: { S: "acme" },
              id: { S: "1" },
              status: { S: "open" },
              total: { N: "3" }
            }
          }
        ]
      }))
      const [user, found] = yield* dynamo.transactGet([
        users.transact.get({ id: "u" }),
        orders.transact.get(order("1"))
      ])
      expect(user).toBeUndefined()
      expect(found).toEqual(order("1", { total: 3 }))
      expect(found).toBeInstanceOf(Order)
      expect(sent[0]!.body).toEqual({
        TransactItems: [
          { Get: { Key: { id: { S: "u" } }, TableName: "test-users" } },
          { Get: { Key: { customer: { S: "acme" }, id: { S: "1" } }, TableName: "test-orders" } }
        ]
      })
    })
  )

  it.live("with no part or more than 100 is a defect, and sends nothing", () =>
    Effect.gen(function* () {
      const { dynamo, sent, users } = yield* open(() => ({}))
      for (const count of [0, 101]) {
        const writes = Array.from({ length: count }, (_, n) =>
          users.transact.delete({ id: `${n}` })
        )
        expect(Exit.hasDies(yield* Effect.exit(dynamo.transactWrite(writes)))).toBe(true)
      }
      expect(sent).toEqual([])
    })
  )
})

describe("batches over the wire", () => {
  it.live("send what was not processed again", () =>
    Effect.gen(function* () {
      const { sent, users } = yield* open(({ body, operation }) => {
        const [table, writes] = Object.entries(body["RequestItems"] as object)[0]!
        if (operation === "BatchWriteItem") {
          const some = writes as ReadonlyArray<unknown>
          return { UnprocessedItems: some.length > 1 ? { [table]: some.slice(1) } : {} }
        }
        const {
          Keys: [key, ...rest]
        } = writes as { Keys: [{ id: object }, ...Array<unknown>] }
        return {
          Responses: { [table]: [{ ...key, visits: { N: "1" } }] },
          UnprocessedKeys: rest.length === 0 ? {} : { [table]: { Keys: rest } }
        }
      })
      yield* users.batchWrite({
        delete: [{ id: "c" }],
        put: [
          { id: "a", visits: 1 },
          { id: "b", visits: 1 }
        ]
      })
      const sizes = sent.map(
        ({ body }) =>
          (body["RequestItems"] as { "test-users": Array<unknown> })["test-users"].length
      )
      expect(sizes).toEqual([3, 2, 1])
      const found = yield* users.batchGet([{ id: "x" }, { id: "y" }])
      expect(found).toEqual([
        { id: "x", visits: 1 },
        { id: "y", visits: 1 }
      ])
    })
  )

  it.effect("fail with the keys that remain after requests without effect", () =>
    Effect.gen(function* () {
      const { sent, users } = yield* open(({ body }) => ({
        UnprocessedItems: body["RequestItems"]
      }))
      // A reply may come before or after a step of the clock: the clock goes on until the end.
      const step = Effect.andThen(
        TestClock.adjust("10 seconds"),
        TestClock.withLive(Effect.sleep("5 millis"))
      )
      const clock = yield* Effect.forkChild(Effect.forever(step))
      const error = yield* Effect.flip(
        users.batchWrite({ delete: [{ id: "b" }], put: [{ id: "a", visits: 1 }] })
      )
      yield* Fiber.interrupt(clock)
      expect(error).toMatchObject({
        _tag: "BatchIncomplete",
        attempts: 4,
        keys: [{ id: "a" }, { id: "b" }],
        table: "test-users"
      })
      expect(sent).toHaveLength(4)
    })
  )
})

describe("the wire", () => {
  it.live("has names and values as placeholders only", () =>
    Effect.gen(function* () {
      const { orders, sent } = yield* open(() => ({ Items: [] }))
      const evil = "x) OR attribute_exists(#n0"
      yield* Stream.runDrain(
        orders.query(evil, {
          descending: true,
          sort: Condition.beginsWith(evil),
          where: [
            { note: evil, total: Condition.between(1, 2) },
            { status: Condition.oneOf(["open"]) }
          ]
        })
      )
      expect(sent[0]!.body).toEqual({
        ConsistentRead: false,
        ExpressionAttributeNames: {
          "#n0": "customer",
          "#n1": "id",
          "#n2": "note",
          "#n3": "total",
          "#n4": "status"
        },
        ExpressionAttributeValues: {
          ":v0": { S: evil },
          ":v1": { S: evil },
          ":v2": { S: evil },
          ":v3": { N: "1" },
          ":v4": { N: "2" },
          ":v5": { S: "open" }
        },
        FilterExpression: "((#n2 = :v2 and #n3 between :v3 and :v4) or #n4 in (:v5))",
        KeyConditionExpression: "(#n0 = :v0 and begins_with(#n1, :v1))",
        ScanIndexForward: false,
        TableName: "test-orders"
      })
      expect(sent[0]!.authorization).toContain("Credential=test/")
      expect(sent[0]!.authorization).toContain("/eu-central-1/dynamodb/")
    })
  )

  it.live("a stream reads a page when it is needed", () =>
    Effect.gen(function* () {
      let page = 0
      const { orders, sent } = yield* open(() => {
        const key = { customer: { S: "acme" }, id: { S: `p${page++}` } }
        return {
          Items: [{ ...key, status: { S: "open" }, total: { N: "1" } }],
          LastEvaluatedKey: key
        }
      })
      const ids = yield* orders.query("acme").pipe(
        Stream.map(({ id }) => id),
        Stream.take(2),
        Stream.runCollect
      )
      expect(ids).toEqual(["p0", "p1"])
      expect(sent).toHaveLength(2)
      expect(sent[1]!.body["ExclusiveStartKey"]).toEqual({
        customer: { S: "acme" },
        id: { S: "p0" }
      })
    })
  )

  it.live("a condition that does not hold has the item if it was wanted", () =>
    Effect.gen(function* () {
      const { sent, users } = yield* open(() =>
        failing("ConditionalCheckFailedException", { Item: { id: { S: "u" }, visits: { N: "4" } } })
      )
      const put = users.put({ id: "u", visits: 1 }, { if: "absent", returnItem: true })
      expect(yield* Effect.flip(put)).toMatchObject({
        _tag: "ConditionFailed",
        item: { id: "u", visits: 4 },
        key: { id: "u" }
      })
      expect(sent[0]!.body["ReturnValuesOnConditionCheckFailure"]).toBe("ALL_OLD")
    })
  )

  it.live("sets, binary values and large numbers of other programs are read", () =>
    Effect.gen(function* () {
      const { orders } = yield* open(() => ({
        Item: {
          customer: { S: "acme" },
          id: { S: "1" },
          raw: { B: "AP8H" },
          status: { S: "open" },
          tags: { SS: ["a", "b"] },
          total: { N: "7" }
        }
      }))
      expect(yield* orders.get(order("1"))).toEqual(
        order("1", { raw: new Uint8Array([0, 255, 7]), tags: ["a", "b"], total: 7 })
      )
      const { users } = yield* open(() => ({
        Item: { id: { S: "1" }, visits: { N: "9007199254740993" } }
      }))
      expect(yield* Effect.flip(users.get({ id: "1" }))).toMatchObject({ paths: ["/visits"] })
    })
  )

  it.live("each failure of the server has its error", () =>
    Effect.gen(function* () {
      for (const [name, tag] of [
        ["ProvisionedThroughputExceededException", "DynamoThrottled"],
        ["ThrottlingException", "DynamoThrottled"],
        ["RequestLimitExceeded", "DynamoThrottled"],
        ["TransactionConflictException", "DynamoUnavailable"],
        ["AccessDeniedException", "DynamoRefused"],
        ["ValidationException", "DynamoRefused"],
        ["UnrecognizedClientException", "DynamoRefused"],
        ["ResourceNotFoundException", "TableNotFound"]
      ] as const) {
        const { users } = yield* open(() => failing(name))
        const error = yield* Effect.flip(users.put({ id: "u", visits: 1 }))
        expect(error, name).toMatchObject({ _tag: tag, table: "test-users" })
        if (tag !== "TableNotFound") {
          expect(error).toMatchObject({ operation: "put", reason: `${name} 400: the reason` })
        }
      }
      const broken = yield* open(() => ({ ...failing("InternalServerError"), status: 500 }))
      expect((yield* Effect.flip(broken.users.get({ id: "u" })))._tag).toBe("DynamoUnavailable")
    })
  )

  it.live("throttled requests are sent again up to maxAttempts", () =>
    Effect.gen(function* () {
      const { sent, users } = yield* open(() => failing("ThrottlingException"), { maxAttempts: 3 })
      expect((yield* Effect.flip(users.get({ id: "u" })))._tag).toBe("DynamoThrottled")
      expect(sent).toHaveLength(3)
    })
  )

  it.live("a server that is away, or does not answer in time, is unavailable", () =>
    Effect.gen(function* () {
      const away = yield* serviceOf(
        yield* AwsBackend.make(settings({ endpoint: "http://127.0.0.1:1", maxAttempts: 1 }))
      )
      expect(yield* Effect.flip(away.ping)).toMatchObject({ _tag: "DynamoUnavailable" })
      const silent = yield* open(() => undefined, { timeout: "100 millis" })
      expect(yield* Effect.flip(silent.users.get({ id: "u" }))).toMatchObject({
        _tag: "DynamoUnavailable"
      })
    })
  )

  it.live("a reply that is longer than any of the service is given up", () =>
    Effect.gen(function* () {
      const long = "x".repeat(33 * 2 ** 20)
      for (const status of [200, 500]) {
        const { orders } = yield* open(() => ({ Item: { long: { S: long } }, status }))
        expect(yield* Effect.flip(orders.get({ customer: "ada", id: "1" }))).toMatchObject({
          _tag: "DynamoUnavailable",
          reason: expect.stringContaining("a reply of more than 33554432 bytes")
        })
      }
    })
  )

  it.live("an interruption aborts the call", () =>
    Effect.gen(function* () {
      const arrived = yield* Deferred.make<void>()
      const { closed, users } = yield* open(() => {
        Deferred.doneUnsafe(arrived, Exit.void)
        return undefined
      })
      const fiber = yield* Effect.forkChild(users.get({ id: "u" }))
      yield* Deferred.await(arrived)
      yield* Fiber.interrupt(fiber)
      while (closed.length === 0) yield* Effect.sleep("5 millis")
      expect(closed).toEqual(["GetItem"])
    })
  )
})
