// What the compiler and `Table.make` refuse.
import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Condition, DynamoDb, Table } from "flange/DynamoDb"
import { TestDynamoDb } from "flange/DynamoDb/Testing"

const Id = Schema.String.pipe(Schema.brand("Id"))

const Item = Schema.Struct({
  at: Schema.optionalKey(Schema.String),
  count: Schema.Int,
  flag: Schema.Boolean,
  id: Id,
  kind: Schema.Literals(["a", "b"]),
  level: Schema.Literals([1, 2])
})

const Items = Table.make("items", {
  indexes: { byKind: { partitionKey: "kind", sortKey: "at" }, byLevel: { partitionKey: "level" } },
  partitionKey: "id",
  schema: Item,
  sortKey: "count"
})

const Plain = Table.make("plain", { partitionKey: "id", schema: Item })

const id = Id.make("1")
const item = { count: 1, flag: true, id, kind: "a", level: 1 } as const

describe("Table.make", () => {
  it("knows the types of keys from the schema", () => {
    expect(Items.definition.types).toEqual({ at: "S", count: "N", id: "S", kind: "S", level: "N" })
  })

  it("refuses names that DynamoDB does not have, and keys without a type", () => {
    expect(() => Table.make("x", { partitionKey: "id", schema: Item })).toThrow(
      "Write 3 to 255 letters, digits and the characters _ . -"
    )
    const Mixed = Schema.Struct({ id: Schema.Union([Schema.String, Schema.Int]) })
    expect(() => Table.make("mixed", { partitionKey: "id", schema: Mixed })).toThrow(
      'The key "id" of the table "mixed" is stored neither as text nor as a number.'
    )
  })

  it("takes attributes as keys that are text or a number", () => {
    const never = () => [
      // @ts-expect-error the schema has no such attribute
      Table.make("items", { partitionKey: "nothing", schema: Item }),
      // @ts-expect-error a key is no boolean
      Table.make("items", { partitionKey: "flag", schema: Item }),
      // @ts-expect-error not every item has it
      Table.make("items", { partitionKey: "at", schema: Item }),
      Table.make("items", {
        // @ts-expect-error an index has the same rules, but for optional attributes
        indexes: { x: { partitionKey: "flag" } },
        partitionKey: "id",
        schema: Item
      })
    ]
    expect(never).toBeTypeOf("function")
  })
})

describe("the types of a table", () => {
  it.effect("a condition or an update that says nothing is a defect", () =>
    Effect.gen(function* () {
      const items = (yield* DynamoDb).table(Items)
      for (const [effect, message] of [
        [items.put(item, { if: [] }), "A list of conditions is empty."],
        [items.update(item, { set: { kind: undefined } }), "changes nothing"],
        [items.update(item, { remove: ["at"], set: { at: "x" } }), "changes an attribute twice"]
      ] as const) {
        const exit = yield* Effect.exit(effect as Effect.Effect<unknown, unknown>)
        expect(exit._tag === "Failure" && Cause.pretty(exit.cause)).toContain(message)
      }
    }).pipe(Effect.provide(TestDynamoDb.layer([Items])))
  )

  it.effect("an option that its schema does not allow is refused", () =>
    Effect.gen(function* () {
      const dynamo = yield* DynamoDb
      const [items, plain] = [dynamo.table(Items), dynamo.table(Plain)]
      const never = () => [
        // @ts-expect-error the sort key is missing
        items.get({ id }),
        // @ts-expect-error text is no id
        plain.get({ id: "1" }),
        // @ts-expect-error "c" is no kind
        items.put({ ...item, kind: "c" }),
        // @ts-expect-error "c" is no kind
        items.put(item, { if: { kind: "c" } }),
        // @ts-expect-error "c" is no kind
        items.put(item, { if: { kind: Condition.notEquals("c") } }),
        // @ts-expect-error a number has no prefix
        items.put(item, { if: { count: Condition.beginsWith("1") } }),
        // @ts-expect-error the key cannot change
        items.update(item, { set: { count: 2 } }),
        // @ts-expect-error every item has a kind
        items.update(item, { remove: ["kind"] }),
        // @ts-expect-error text cannot be added to
        items.update(item, { add: { at: 1 } }),
        // @ts-expect-error a query has no such test of its sort key
        items.query(id, { sort: Condition.notEquals(1) }),
        // @ts-expect-error the sort key is a number
        items.query(id, { sort: "1" }),
        // @ts-expect-error the table has no sort key
        plain.query(id, { sort: "1" }),
        // @ts-expect-error DynamoDB refuses a filter on the key
        items.query(id, { where: { count: 1 } }),
        // @ts-expect-error DynamoDB refuses a filter on the key
        items.index("byKind").query("a", { where: { at: "x" } }),
        items.index("byKind").query("a", { where: { count: 1 } }),
        // @ts-expect-error an index has no consistent reads
        items.index("byKind").query("a", { consistent: true }),
        // @ts-expect-error the index has no sort key
        items.index("byLevel").query(1, { sort: "1" }),
        // @ts-expect-error "c" is no kind
        items.index("byKind").query("c"),
        // @ts-expect-error there is no such index
        () => items.index("byFlag"),
        // @ts-expect-error only a write with a condition may fail with it
        Effect.catchTag(items.put(item), "ConditionFailed", () => Effect.void)
      ]
      expect(never).toBeTypeOf("function")
      yield* items.put(item, { if: [{ at: Condition.absent }, { id: Condition.beginsWith("x") }] })
      yield* items.update(item, { remove: ["at"], set: { kind: "b" } })
      const found = items
        .index("byLevel")
        .query(1, { where: { kind: Condition.oneOf(["a", "b"]) } })
      expect(yield* Stream.runCollect(found)).toEqual([{ ...item, kind: "b" }])
    }).pipe(Effect.provide(TestDynamoDb.layer([Items, Plain])))
  )
})
