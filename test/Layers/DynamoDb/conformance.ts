/** What tables do on every backend. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Condition from "../../../src/Layers/DynamoDb/Condition.ts"
import type { Shape } from "../../../src/Layers/DynamoDb/DynamoDb.ts"
import * as Table from "../../../src/Layers/DynamoDb/Table.ts"
import type { Kind } from "./backends.ts"

export class Order extends Schema.Class<Order>("Order")({
  at: Schema.optionalKey(Schema.DateTimeUtcFromString),
  customer: Schema.String,
  id: Schema.String,
  note: Schema.optionalKey(Schema.String),
  raw: Schema.optionalKey(Schema.Uint8Array),
  status: Schema.Literals(["open", "sent"]),
  tags: Schema.optionalKey(Schema.Array(Schema.String)),
  total: Schema.Int
}) {}

export const Orders = Table.make("orders", {
  indexes: {
    byStatus: { partitionKey: "status", sortKey: "total" },
    byNote: { partitionKey: "note" }
  },
  partitionKey: "customer",
  schema: Order,
  sortKey: "id"
})

const Reading = Schema.Struct({
  at: Schema.Finite,
  // Words that DynamoDB reserves, and characters that its expressions could not have.
  name: Schema.optionalKey(Schema.String),
  sensor: Schema.Finite,
  "size of #1:a": Schema.optionalKey(Schema.Finite),
  values: Schema.optionalKey(
    Schema.Struct({ high: Schema.Finite, low: Schema.NullOr(Schema.Finite) })
  )
})

const Readings = Table.make("readings", { partitionKey: "sensor", schema: Reading, sortKey: "at" })

export const User = Schema.Struct({
  id: Schema.String,
  labels: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  visits: Schema.Int
})
export const Users = Table.make("users", { partitionKey: "id", schema: User })

export const order = (id: string, more: Partial<Order> = {}): Order =>
  new Order({ customer: "acme", id, status: "open", total: 1, ...more })

const opened = (dynamo: Shape) =>
  Effect.gen(function* () {
    for (const table of [Orders, Readings, Users]) yield* dynamo.create(table)
    return {
      dynamo,
      orders: dynamo.table(Orders),
      readings: dynamo.table(Readings),
      users: dynamo.table(Users)
    }
  })

type Opened = Effect.Success<ReturnType<typeof opened>>

const idsOf = <E>(stream: Stream.Stream<Order, E>) =>
  Effect.map(Stream.runCollect(stream), (all) => all.map(({ id }) => id))

/** Runs the suite on a backend. */
export const suite = ({ isWhole, name, open }: Kind) =>
  describe(`tables in ${name}`, () => {
    const it_ = (rule: string, test: (tables: Opened) => Effect.Effect<unknown, unknown>) =>
      it.live(rule, () => Effect.scoped(Effect.flatMap(Effect.flatMap(open, opened), test)))

    it_("an item is read as it was written, with the types of its schema", ({ orders, readings }) =>
      Effect.gen(function* () {
        const whole = order("1", {
          at: Schema.decodeSync(Schema.DateTimeUtcFromString)("2026-05-01T12:00:00.000Z"),
          note: "",
          raw: new Uint8Array([0, 255, 7]),
          status: "sent",
          tags: ["a", "ü 😀"],
          total: -Number.MAX_SAFE_INTEGER
        })
        // An attribute that is the key of an index cannot be empty.
        expect(yield* Effect.flip(orders.put(whole))).toMatchObject({
          _tag: "InvalidItem",
          attribute: "note"
        })
        const stored = new Order({ ...whole, note: "n" })
        yield* orders.put(stored)
        const read = yield* orders.get({ customer: "acme", id: "1" }, { consistent: true })
        expect(read).toBeInstanceOf(Order)
        expect(read).toEqual(stored)
        expect(yield* orders.get({ customer: "acme", id: "2" })).toBeUndefined()
        const reading = {
          at: 0.1,
          name: "",
          sensor: -1.5e10,
          "size of #1:a": 1e-20,
          values: { high: 1.25, low: null }
        }
        yield* readings.put(reading)
        expect(yield* readings.get(reading)).toEqual(reading)
        yield* readings.put({ at: 0.1, sensor: -1.5e10 })
        expect(yield* readings.get(reading)).toEqual({ at: 0.1, sensor: -1.5e10 })
      })
    )

    it_(
      "conditions decide whether an item is put, and name the key if they do not hold",
      ({ orders }) =>
        Effect.gen(function* () {
          yield* orders.put(order("1"), { if: "absent" })
          const twice = yield* Effect.flip(orders.put(order("1", { total: 9 }), { if: "absent" }))
          expect(twice).toMatchObject({
            _tag: "ConditionFailed",
            item: undefined,
            key: { customer: "acme", id: "1" },
            table: "test-orders"
          })
          expect((yield* Effect.flip(orders.put(order("2"), { if: "present" })))._tag).toBe(
            "ConditionFailed"
          )
          yield* orders.put(order("1", { total: 2 }), { if: { status: "open", total: 1 } })
          const stale = orders.put(order("1", { total: 3 }), {
            if: { total: 1 },
            returnItem: true
          })
          const failed = yield* Effect.flip(stale)
          expect(failed).toMatchObject({ _tag: "ConditionFailed" })
          if (isWhole) expect(failed).toMatchObject({ item: order("1", { total: 2 }) })
          expect(yield* orders.get(order("1"))).toMatchObject({ total: 2 })
        })
    )

    it_("every test of a condition holds or not as its name says", ({ orders }) =>
      Effect.gen(function* () {
        const item = order("1", { note: "hello", tags: ["red", "big"], total: 5 })
        yield* orders.put(item)
        const when = (where: Condition.Where<Order>) =>
          orders.put(item, { if: where }).pipe(
            Effect.as(true),
            Effect.catchTag("ConditionFailed", () => Effect.succeed(false))
          )
        const cases: ReadonlyArray<readonly [boolean, Condition.Where<Order>]> = [
          [true, {}],
          [true, { total: 5 }],
          [false, { total: 6 }],
          [true, { total: Condition.equals(5) }],
          [true, { total: Condition.notEquals(6) }],
          [false, { total: Condition.notEquals(5) }],
          [
            true,
            {
              at: Condition.notEquals(
                Schema.decodeSync(Schema.DateTimeUtcFromString)("2026-05-01T12:00:00.000Z")
              )
            }
          ],
          [true, { total: Condition.lessThan(6) }],
          [false, { total: Condition.lessThan(5) }],
          [true, { total: Condition.atMost(5) }],
          [false, { total: Condition.atMost(4) }],
          [true, { total: Condition.greaterThan(4) }],
          [false, { total: Condition.greaterThan(5) }],
          [true, { total: Condition.atLeast(5) }],
          [false, { total: Condition.atLeast(6) }],
          [true, { total: Condition.between(5, 5) }],
          [false, { total: Condition.between(6, 9) }],
          [false, { total: Condition.between(9, 1) }],
          [true, { note: Condition.beginsWith("hel") }],
          [false, { note: Condition.beginsWith("el") }],
          [true, { note: Condition.contains("ell") }],
          [true, { tags: Condition.contains("red") }],
          [false, { tags: Condition.contains("re") }],
          // dynalite compares no lists.
          [isWhole, { tags: ["red", "big"] }],
          [false, { tags: ["big", "red"] }],
          [true, { status: Condition.oneOf(["open", "sent"]) }],
          [false, { status: Condition.oneOf(["sent"]) }],
          [false, { status: Condition.oneOf([]) }],
          [true, { total: Condition.oneOf(Array.from({ length: 230 }, (_, n) => 230 - n)) }],
          [true, { note: Condition.exists }],
          [false, { at: Condition.exists }],
          [true, { at: Condition.absent }],
          [false, { note: Condition.absent }],
          [true, { note: Condition.not(Condition.beginsWith("x")) }],
          [false, { note: Condition.not(Condition.exists) }],
          [false, { note: "hello", total: 6 }],
          [true, [{ total: 6 }, { note: "hello", total: 5 }]],
          [false, [{ total: 6 }, { note: "x" }]]
        ]
        for (const [n, [expected, where]] of cases.entries()) {
          expect(yield* when(where), `case ${n}`).toBe(expected)
        }
      })
    )

    it_(
      "an update sets, removes and adds, and never creates an item",
      ({ orders, readings, users }) =>
        Effect.gen(function* () {
          yield* orders.put(order("1", { note: "n", tags: ["a"] }))
          const updated = yield* orders.update(
            order("1"),
            { add: { total: 4 }, remove: ["note"], set: { status: "sent", tags: undefined } },
            { if: { status: "open" } }
          )
          expect(updated).toEqual(order("1", { status: "sent", tags: ["a"], total: 5 }))
          expect(yield* orders.get(order("1"))).toEqual(updated)
          const failed = orders.update(
            order("1"),
            { set: { total: 0 } },
            { if: { status: "open" } }
          )
          expect((yield* Effect.flip(failed))._tag).toBe("ConditionFailed")
          const missing = orders.update(order("2"), { set: { total: 0 } })
          expect(yield* Effect.flip(missing)).toMatchObject({
            _tag: "ConditionFailed",
            item: undefined
          })
          expect(yield* orders.get(order("2"))).toBeUndefined()
          yield* readings.put({ at: 1, sensor: 1 })
          const grown = yield* readings.update(
            { at: 1, sensor: 1 },
            { add: { "size of #1:a": 2.5 }, set: { name: "x", values: { high: 1, low: 2 } } }
          )
          expect(grown).toMatchObject({
            "size of #1:a": 2.5,
            name: "x",
            values: { high: 1, low: 2 }
          })
          yield* users.put({ id: "u", visits: 0 })
          yield* Effect.forEach(
            Array.from({ length: 20 }),
            () => users.update({ id: "u" }, { add: { visits: 1 } }),
            { concurrency: "unbounded", discard: true }
          )
          expect(yield* users.get({ id: "u" })).toEqual({ id: "u", visits: 20 })
        })
    )

    it_("a delete succeeds without an item, unless it has a condition", ({ orders }) =>
      Effect.gen(function* () {
        yield* orders.delete(order("1"))
        expect((yield* Effect.flip(orders.delete(order("1"), { if: "present" })))._tag).toBe(
          "ConditionFailed"
        )
        yield* orders.put(order("1"))
        const sent = orders.delete(order("1"), { if: { status: "sent" }, returnItem: true })
        expect((yield* Effect.flip(sent))._tag).toBe("ConditionFailed")
        yield* orders.delete(order("1"), { if: { status: "open" } })
        expect(yield* orders.get(order("1"))).toBeUndefined()
      })
    )

    it_("of writers with a condition one wins", ({ orders }) =>
      Effect.gen(function* () {
        const results = yield* Effect.forEach(
          Array.from({ length: 20 }, (_, total) => total),
          (total) => Effect.exit(orders.put(order("1", { total }), { if: "absent" })),
          { concurrency: "unbounded" }
        )
        expect(results.filter(({ _tag }) => _tag === "Success")).toHaveLength(1)
      })
    )

    it_("a query reads a partition in the order of its sort key", ({ orders, readings }) =>
      Effect.gen(function* () {
        const ids = ["2026-01", "2026-02", "2026-03", "2027-01", "Z", "a", "é", "😀", "ﬀ"]
        for (const id of ids.toReversed()) yield* orders.put(order(id))
        yield* orders.put(order("2026-02", { customer: "globex" }))
        const sorted = ids.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
        expect(yield* idsOf(orders.query("acme"))).toEqual(sorted)
        expect(yield* idsOf(orders.query("acme", { descending: true }))).toEqual(
          sorted.toReversed()
        )
        expect(yield* idsOf(orders.query("nobody"))).toEqual([])
        const some = (options: Parameters<typeof orders.query>[1]) =>
          idsOf(orders.query("acme", options))
        expect(yield* some({ sort: Condition.beginsWith("2026-") })).toEqual(ids.slice(0, 3))
        expect(yield* some({ sort: "2026-02" })).toEqual(["2026-02"])
        expect(yield* some({ sort: Condition.equals("none") })).toEqual([])
        expect(yield* some({ sort: Condition.between("2026-02", "2027-01") })).toEqual(
          ids.slice(1, 4)
        )
        expect(yield* some({ sort: Condition.lessThan("2026-02") })).toEqual(["2026-01"])
        expect(yield* some({ sort: Condition.atMost("2026-02") })).toEqual(ids.slice(0, 2))
        expect(yield* some({ sort: Condition.greaterThan("Z") })).toEqual(sorted.slice(5))
        expect(yield* some({ sort: Condition.atLeast("Z") })).toEqual(sorted.slice(4))
        expect(yield* some({ sort: Condition.beginsWith("") })).toEqual(sorted)
        expect(yield* some({ sort: Condition.between("b", "a") })).toEqual([])
        for (const [options, reason] of [
          [{ sort: Condition.greaterThan("") }, "a key cannot be empty"],
          [{ sort: Condition.beginsWith("x".repeat(1025)) }, "a key has at most 1024 bytes here"],
          [
            { after: order("a"), sort: Condition.lessThan("Z") },
            "the start of the page is outside of the query"
          ],
          [
            { after: order("a", { customer: "globex" }) },
            "the start of the page is outside of the query"
          ]
        ] as const) {
          expect(yield* Effect.flip(some(options))).toMatchObject({
            _tag: "InvalidItem",
            attribute: "id",
            reason
          })
        }
        for (const at of [10, -5, 9, 0.5, 100]) yield* readings.put({ at, sensor: 1 })
        const at = Stream.map(
          readings.query(1, { sort: Condition.lessThan(100) }),
          (each) => each.at
        )
        expect(yield* Stream.runCollect(at)).toEqual([-5, 0.5, 9, 10])
      })
    )

    it_("a stream reads page by page, with limits, filters and a start", ({ orders }) =>
      Effect.gen(function* () {
        const ids = Array.from({ length: 25 }, (_, n) => `i${String(n).padStart(2, "0")}`)
        yield* orders.batchWrite({
          put: ids.map((id, n) => order(id, { status: n % 2 === 0 ? "open" : "sent", total: n }))
        })
        const some = (options: Parameters<typeof orders.query>[1]) =>
          idsOf(orders.query("acme", options))
        expect(yield* some({ consistent: true, pageSize: 4 })).toEqual(ids)
        expect(yield* some({ limit: 7, pageSize: 3 })).toEqual(ids.slice(0, 7))
        expect(yield* some({ limit: 0 })).toEqual([])
        for (const wrong of [{ pageSize: 0 }, { pageSize: NaN }, { limit: 1.5 }, { limit: NaN }]) {
          const exit = yield* Effect.exit(some(wrong))
          expect(String(exit)).toContain("Write a whole number from 1, or leave it out")
        }
        expect(yield* some({ after: order("i22") })).toEqual(ids.slice(23))
        expect(yield* some({ after: order("i02"), descending: true })).toEqual(["i01", "i00"])
        const open = ids.filter((_, n) => n % 2 === 0)
        expect(yield* some({ pageSize: 3, where: { status: "open" } })).toEqual(open)
        expect(yield* some({ limit: 5, pageSize: 2, where: { status: "open" } })).toEqual(
          open.slice(0, 5)
        )
        expect(yield* some({ where: { note: Condition.exists } })).toEqual([])
        const all = yield* idsOf(orders.scan({ pageSize: 4 }))
        expect(all.toSorted()).toEqual(ids)
        const large = { where: { total: Condition.atLeast(20) } }
        expect((yield* idsOf(orders.scan(large))).toSorted()).toEqual(ids.slice(20))
        expect(yield* idsOf(orders.scan({ consistent: true, limit: 3 }))).toHaveLength(3)
      })
    )

    it_("an index has the items with its key, in its order", ({ orders }) =>
      Effect.gen(function* () {
        yield* orders.batchWrite({
          put: [
            order("1", { total: 30 }),
            order("2", { customer: "globex", total: 10 }),
            order("3", { status: "sent", total: 20 }),
            order("4", { note: "n", total: 20 }),
            order("5", { total: 20 })
          ]
        })
        const open = orders.index("byStatus")
        const totals = Stream.map(open.query("open"), ({ total }) => total)
        expect(yield* Stream.runCollect(totals)).toEqual([10, 20, 20, 30])
        expect(yield* idsOf(open.query("open", { sort: Condition.greaterThan(20) }))).toEqual(["1"])
        const [first, ...rest] = yield* Stream.runCollect(open.query("open", { pageSize: 1 }))
        expect(yield* Stream.runCollect(open.query("open", { after: first! }))).toEqual(rest)
        expect(yield* idsOf(orders.index("byNote").query("n"))).toEqual(["4"])
        expect(yield* idsOf(orders.index("byNote").scan())).toEqual(["4"])
        expect(yield* idsOf(open.scan({ where: { status: "sent" } }))).toEqual(["3"])
      })
    )

    it_("batches have more elements than a request, and keep the order of the keys", ({ users }) =>
      Effect.gen(function* () {
        const ids = Array.from({ length: 230 }, (_, n) => `u${n}`)
        yield* users.batchWrite({ put: ids.map((id, visits) => ({ id, visits })) })
        const keys = [{ id: "none" }, ...ids.map((id) => ({ id })), { id: "u0" }]
        const found = yield* users.batchGet(keys, { consistent: true })
        expect(found.map((user) => user?.visits)).toEqual([undefined, ...ids.keys(), 0])
        yield* users.batchWrite({
          delete: ids.slice(5).map((id) => ({ id })),
          put: [{ id: "new", visits: 1 }]
        })
        expect(yield* Stream.runCollect(users.scan())).toHaveLength(6)
        yield* users.batchWrite({})
        expect(yield* users.batchGet([])).toEqual([])
        const twice = users.batchWrite({ delete: [{ id: "a" }], put: [{ id: "a", visits: 0 }] })
        expect(yield* Effect.flip(twice)).toMatchObject({ _tag: "InvalidItem", attribute: "id" })
      })
    )

    it_(
      "keys and items that cannot be stored are refused before the call",
      ({ orders, readings, users }) =>
        Effect.gen(function* () {
          for (const [id, reason] of [
            ["", "a key cannot be empty"],
            ["é".repeat(513), "a key has at most 1024 bytes here"],
            ["\ud800", "it is no Unicode text"]
          ] as const) {
            const key = { customer: "acme", id }
            const refused = { _tag: "InvalidItem", attribute: "id", reason, table: "test-orders" }
            for (const effect of [
              orders.get(key),
              orders.put(order(id)),
              orders.delete(key),
              orders.update(key, { set: { total: 1 } }),
              orders.batchGet([key]),
              orders.batchWrite({ delete: [key] })
            ]) {
              expect(yield* Effect.flip(effect as Effect.Effect<unknown, unknown>)).toMatchObject(
                refused
              )
            }
          }
          yield* users.put({ id: "a", labels: { "\ud83d\ude00": "b" }, visits: 0 })
          const labels = { "\ud800": "b" }
          expect(yield* Effect.flip(users.put({ id: "a", labels, visits: 0 }))).toMatchObject({
            attribute: "labels",
            reason: "a name in it is no Unicode text"
          })
          yield* users.put({ id: "x".repeat(2048), visits: 0 })
          expect(yield* Effect.flip(users.put({ id: "x".repeat(2049), visits: 0 }))).toMatchObject({
            reason: "a key has at most 2048 bytes here"
          })
          expect(yield* Effect.flip(readings.put({ at: 1e300, sensor: 1 }))).toMatchObject({
            attribute: "at",
            reason: "the number is too large or too small to be stored exactly"
          })
          expect(yield* Effect.flip(users.put({ id: "a", visits: 0.5 }))).toMatchObject({
            attribute: "/visits",
            reason: "it does not fit the schema"
          })
          yield* orders.put(order("1", { tags: ["x".repeat(400_000)] }))
          const large = yield* Effect.flip(orders.put(order("1", { tags: ["x".repeat(409_600)] })))
          expect(large).toMatchObject({
            _tag: "ItemTooLarge",
            limit: 409_600,
            table: "test-orders"
          })
        })
    )

    it_("an item that is not of the schema is an error without its values", ({ dynamo, users }) =>
      Effect.gen(function* () {
        const Older = Table.make("users", {
          partitionKey: "id",
          schema: Schema.Struct({ id: Schema.String, visits: Schema.String })
        })
        yield* dynamo.table(Older).put({ id: "7", visits: "confidential" })
        for (const effect of [
          users.get({ id: "7" }),
          Stream.runCollect(users.scan()),
          users.batchGet([{ id: "7" }])
        ]) {
          const error = yield* Effect.flip(effect as Effect.Effect<unknown, Error>)
          expect(error).toMatchObject({
            _tag: "ItemUndecodable",
            key: { id: "7" },
            paths: ["/visits"],
            table: "test-users"
          })
          expect(JSON.stringify(error) + String(error.stack)).not.toContain("confidential")
        }
      })
    )

    it_("a table that does not exist is an error with its name", ({ dynamo }) =>
      Effect.gen(function* () {
        const Missing = Table.make("missing", { partitionKey: "id", schema: User })
        const users = dynamo.table(Missing)
        for (const effect of [
          users.get({ id: "1" }),
          users.put({ id: "1", visits: 1 }),
          users.update({ id: "1" }, { add: { visits: 1 } }),
          users.delete({ id: "1" }),
          users.batchGet([{ id: "1" }]),
          users.batchWrite({ delete: [{ id: "1" }] }),
          Stream.runCollect(users.scan()),
          Stream.runCollect(users.query("1")),
          dynamo.ping
        ]) {
          expect(yield* Effect.flip(effect as Effect.Effect<unknown, unknown>)).toMatchObject({
            _tag: "TableNotFound",
            table: "test-missing"
          })
        }
        yield* dynamo.create(Missing)
        yield* dynamo.create(Missing)
        yield* dynamo.ping
      })
    )

    if (isWhole) {
      it_("a transaction carries out all of its writes or none", ({ dynamo, orders, users }) =>
        Effect.gen(function* () {
          yield* users.put({ id: "u", visits: 1 })
          yield* users.put({ id: "v", visits: 1 })
          const writes = (total: number) => [
            orders.transact.put(order("1", { total }), { if: "absent" }),
            users.transact.update(
              { id: "u" },
              { add: { visits: 1 } },
              { if: { visits: 1 }, returnItem: true }
            ),
            users.transact.check({ id: "v" }, { if: "present" }),
            users.transact.delete({ id: "w" })
          ]
          yield* dynamo.transactWrite(writes(1), { token: "t" })
          yield* dynamo.transactWrite(writes(1), { token: "t" })
          expect(yield* Effect.flip(dynamo.transactWrite(writes(2), { token: "t" }))).toMatchObject(
            {
              _tag: "DynamoRefused"
            }
          )
          const cancelled = yield* Effect.flip(dynamo.transactWrite(writes(2)))
          expect(cancelled).toMatchObject({
            _tag: "TransactionCancelled",
            reasons: [
              {
                code: "ConditionalCheckFailed",
                key: { customer: "acme", id: "1" },
                table: "test-orders"
              },
              { code: "ConditionalCheckFailed", item: { id: "u", visits: 2 }, key: { id: "u" } },
              { code: "None", key: { id: "v" } },
              { code: "None", key: { id: "w" } }
            ]
          })
          const [read, user, none] = yield* dynamo.transactGet([
            orders.transact.get(order("1")),
            users.transact.get({ id: "u" }),
            users.transact.get({ id: "w" })
          ])
          expect(read?.total).toBe(1)
          expect([user?.visits, none]).toEqual([2, undefined])
        })
      )
    }
  })
