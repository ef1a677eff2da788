/** The operations of a table over a backend. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { InvalidItem, type ItemTooLarge } from "../../Contract/DynamoErrors.ts"
import type {
  Attributes,
  Backend,
  BatchWrite,
  Change,
  Expression,
  Guard,
  KeySchema,
  PageRequest,
  StoreFailure,
  Unmet
} from "./Backend.ts"
import * as Batch from "./Batch.ts"
import { compile, expressionOf } from "./Condition.ts"
import {
  type Conditional,
  ConditionFailed,
  type Consistency,
  type OpenIndex,
  type OpenTable,
  type QueryOptions,
  type Transact,
  type Update,
  type WriteCondition
} from "./DynamoDb.ts"
import * as Evaluate from "./Evaluate.ts"
import { attempt, type ItemCodec, make as makeCodec } from "./ItemCodec.ts"
import type { Indexes, IndexKey, Table } from "./Table.ts"

/** The most keys and writes of one request. */
const [getSize, writeSize] = [100, 25]

/** A condition on items of any type. */
type AnyCondition = Conditional<WriteCondition<object>> | undefined

/** The options of a page with items of any type. */
type PageOptions = Consistency & QueryOptions<Record<string, unknown>, object, never, string>

/** Opens a table. `prefix` precedes its name. */
export const make = <
  Item,
  PartitionKey extends keyof Item,
  SortKey extends keyof Item,
  I extends Indexes<Item>
>(
  backend: Backend,
  { prefix, attempts }: { readonly attempts: number; readonly prefix: string },
  { definition, schema }: Table<Item, PartitionKey, SortKey, I>
): OpenTable<Item, PartitionKey, SortKey, I> => {
  const { key } = definition
  const name = `${prefix}${definition.name}`
  const codec: ItemCodec<Item> = makeCodec(name, schema, definition)

  const guardOf = (options: AnyCondition, base?: Expression): Guard => {
    const condition = options?.if
    const exists: Expression = { attribute: key.partition, op: "exists" }
    const expression =
      condition === undefined
        ? undefined
        : condition === "absent"
          ? ({ attribute: key.partition, op: "absent" } as const)
          : condition === "present"
            ? exists
            : compile(condition, codec.encoderOf)
    const all = [base, expression].filter((each) => each !== undefined)
    return {
      expression: all.length > 1 ? { all, op: "and" } : all[0],
      wantsItem: options?.returnItem ?? false
    }
  }

  const unmet =
    (stored: Attributes) =>
    ({ item }: Unmet) =>
      Effect.flatMap(item === undefined ? Effect.undefined : codec.decode(item), (item) =>
        Effect.fail(new ConditionFailed<Item>({ item, key: codec.named(stored), table: name }))
      )

  /** An update never creates an item. */
  const present: Expression = { attribute: key.partition, op: "exists" }

  const changeOf = ({ add = {}, remove = [], set = {} }: Update<Item, PartitionKey | SortKey>) => {
    const change: Change = {
      add: Object.fromEntries(
        Object.entries<unknown>(add).flatMap(([attribute, value]): Array<[string, number]> => {
          if (value === undefined) return []
          if (typeof value !== "number" || !Number.isFinite(value)) {
            throw new InvalidItem({
              attribute,
              reason: "only a finite number can be added",
              table: name
            })
          }
          return [[attribute, value]]
        })
      ),
      remove: remove.map(String),
      set: codec.set(set)
    }
    const names = [...Object.keys(change.add), ...change.remove, ...Object.keys(change.set)]
    if (names.length === 0 || new Set(names).size < names.length) {
      throw new TypeError(
        `An update of the table ${JSON.stringify(name)} changes ${names.length === 0 ? "nothing" : "an attribute twice"}. Give it each attribute once, in set, remove or add.`
      )
    }
    return change
  }

  const pages = (
    request: Effect.Effect<PageRequest | undefined, InvalidItem>,
    limit: number | undefined
  ) => {
    const stream = Stream.unwrap(
      Effect.map(request, (first) =>
        first === undefined
          ? Stream.empty
          : Stream.paginate(first, (each: PageRequest) =>
              Effect.map(backend.page(each), ({ items, next }) => [
                items,
                Option.map(Option.fromUndefinedOr(next), (after) => ({ ...each, after }))
              ])
            )
      )
    )
    const taken = limit === undefined ? stream : Stream.take(stream, limit)
    return Stream.mapEffect(taken, codec.decode)
  }

  const requestOf = (
    options: PageOptions,
    schema: KeySchema,
    index: string | undefined,
    query: { readonly partition: unknown } | undefined
  ): PageRequest | undefined => {
    const { after, consistent = false, descending = false, limit, pageSize, sort, where } = options
    const tests: Array<Expression> = []
    if (query !== undefined) {
      const { partition } = schema
      const keys = codec.keyOf({ [partition]: query.partition }, [{ partition, sort: undefined }])
      tests.push(expressionOf(partition, query.partition, () => keys[partition]!))
    }
    if (sort !== undefined && schema.sort !== undefined) {
      const test = expressionOf(schema.sort, sort, codec.encoderOf(schema.sort))
      if (test.op === "and") return undefined
      // Every sort key begins with an empty text, which DynamoDB refuses.
      if (test.op !== "begins" || test.prefix !== "") tests.push(codec.checkTest(test))
    }
    const start = after === undefined ? undefined : codec.keyOf(after, [key, schema])
    if (start !== undefined && !tests.every((test) => Evaluate.holds(test, start))) {
      const reason = "the start of the page is outside of the query"
      throw new InvalidItem({ attribute: schema.sort ?? schema.partition, reason, table: name })
    }
    const filter = where === undefined ? undefined : compile(where, codec.encoderOf)
    const sizes = [pageSize, filter === undefined ? limit : undefined].filter(
      (size) => size !== undefined
    )
    return {
      after: start,
      descending,
      filter,
      index,
      isConsistent: consistent,
      key: tests.length === 0 ? undefined : { all: tests, op: "and" },
      limit: sizes.length === 0 ? undefined : Math.min(...sizes),
      table: name
    }
  }

  const read = (
    options: object,
    schema: KeySchema,
    index: string | undefined,
    query?: { readonly partition: unknown }
  ) => {
    const given = options as PageOptions
    const { limit, pageSize } = given
    for (const [option, size, least] of [
      ["limit", limit, Number.MIN_SAFE_INTEGER],
      ["pageSize", pageSize, 1]
    ] as const) {
      if (size === undefined || (Number.isSafeInteger(size) && size >= least)) continue
      const text = `The ${option} ${size} for the table ${JSON.stringify(name)} is refused. Write a whole number from 1, or leave it out.`
      return Stream.die(new RangeError(text))
    }
    return given.limit !== undefined && given.limit < 1
      ? Stream.empty
      : pages(
          attempt(() => requestOf(given, schema, index, query)),
          given.limit
        )
  }

  const place = (stored: Attributes) => ({ key: codec.named(stored), table: name })

  const transact: Transact<Item, PartitionKey | SortKey> = {
    check: (source, options) => ({
      prepare: attempt(() => {
        const key = codec.keyOf(source)
        const guard = guardOf(options as AnyCondition)
        return { place: place(key), write: { guard, key, op: "check", table: name } as const }
      })
    }),
    delete: (source, options) => ({
      prepare: attempt(() => {
        const key = codec.keyOf(source)
        const guard = guardOf(options as AnyCondition)
        return { place: place(key), write: { guard, key, op: "delete", table: name } as const }
      })
    }),
    get: (source) => ({
      decode: codec.decode,
      prepare: attempt(() => {
        const key = codec.keyOf(source)
        return { place: place(key), read: { key, table: name } }
      })
    }),
    put: (item, options) => ({
      prepare: Effect.flatMap(codec.encode(item), (stored) =>
        attempt(() => ({
          place: place(stored),
          write: {
            guard: guardOf(options as AnyCondition),
            item: stored,
            op: "put",
            table: name
          } as const
        }))
      )
    }),
    update: (source, update, options) => ({
      prepare: attempt(() => {
        const key = codec.keyOf(source)
        const guard = guardOf(options as AnyCondition, present)
        const change = changeOf(update)
        return {
          place: place(key),
          write: { change, guard, key, op: "update", table: name } as const
        }
      })
    })
  }

  return {
    batchGet: Effect.fnUntraced(function* (keys, { consistent = false } = {}) {
      const stored = yield* attempt(() => keys.map((each) => codec.keyOf(each)))
      const idOf = (attributes: Attributes) => JSON.stringify(codec.named(attributes))
      const ids = stored.map(idOf)
      const found = new Map<string, Attributes>()
      yield* Batch.send([...new Map(stored.map((each, n) => [ids[n]!, each])).values()], {
        attempts,
        keyOf: codec.named,
        send: (some) =>
          Effect.map(backend.batchGet(name, some, consistent), ({ items, unprocessed }) => {
            for (const item of items) found.set(idOf(item), item)
            return unprocessed
          }),
        size: getSize,
        table: name
      })
      return yield* Effect.forEach(ids, (id) => {
        const item = found.get(id)
        return item === undefined ? Effect.undefined : codec.decode(item)
      })
    }),
    batchWrite: Effect.fnUntraced(function* ({ delete: removed = [], put = [] }) {
      const items = yield* Effect.forEach(put, codec.encode)
      const writes = yield* attempt((): ReadonlyArray<BatchWrite> => {
        const keys = removed.map((each) => codec.keyOf(each))
        const ids = new Set([...items, ...keys].map((each) => JSON.stringify(codec.named(each))))
        if (ids.size < items.length + keys.length) {
          const reason = "a batch has two writes of the same key, whose order would be open"
          throw new InvalidItem({ attribute: key.partition, reason, table: name })
        }
        return [
          ...items.map((item) => ({ item, op: "put" }) as const),
          ...keys.map((key) => ({ key, op: "delete" }) as const)
        ]
      })
      yield* Batch.send(writes, {
        attempts,
        keyOf: (write) => codec.named(write.op === "put" ? write.item : write.key),
        send: (some) => backend.batchWrite(name, some),
        size: writeSize,
        table: name
      })
    }),
    delete: Effect.fnUntraced(function* (source: object, options?: object) {
      const [stored, guard] = yield* attempt(
        () => [codec.keyOf(source), guardOf(options as AnyCondition)] as const
      )
      yield* Effect.catchTag(backend.delete(name, stored, guard), "Unmet", unmet(stored))
    }) as OpenTable<Item, PartitionKey, SortKey, I>["delete"],
    get: Effect.fnUntraced(function* (source, { consistent = false } = {}) {
      const stored = yield* attempt(() => codec.keyOf(source))
      const item = yield* backend.get(name, stored, consistent)
      return item === undefined ? undefined : yield* codec.decode(item)
    }),
    index: <Name extends keyof I & string>(index: Name) => {
      const schema = definition.indexes[index]
      if (schema === undefined) {
        throw new TypeError(`The table ${JSON.stringify(name)} has no index ${index}.`)
      }
      const opened: OpenIndex<Item, PartitionKey | SortKey, IndexKey<keyof Item> & I[Name]> = {
        query: (partition, options = {}) => read(options, schema, index, { partition }),
        scan: (options = {}) => read(options, schema, index)
      }
      return opened
    },
    name,
    put: Effect.fnUntraced(function* (item: Item, options?: object) {
      const stored = yield* codec.encode(item)
      const guard = yield* attempt(() => guardOf(options as AnyCondition))
      yield* Effect.catchTag(backend.put(name, stored, guard), "Unmet", unmet(stored))
    }) as OpenTable<Item, PartitionKey, SortKey, I>["put"],
    query: (partition, options = {}) => read(options, key, undefined, { partition }),
    scan: (options = {}) => read(options, key, undefined),
    transact,
    update: Effect.fnUntraced(function* (source, update, options) {
      const [stored, change, guard] = yield* attempt(
        () =>
          [
            codec.keyOf(source),
            changeOf(update),
            guardOf(options as AnyCondition, present)
          ] as const
      )
      const changed: Effect.Effect<Attributes, ItemTooLarge | StoreFailure | Unmet> =
        backend.update(name, stored, change, guard)
      return yield* codec.decode(yield* Effect.catchTag(changed, "Unmet", unmet(stored)))
    })
  }
}
