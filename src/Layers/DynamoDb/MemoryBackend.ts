/** The backend in the memory of a test. */
import { isDeepStrictEqual } from "node:util"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { DynamoRefused, ItemTooLarge, TableNotFound } from "../../Contract/DynamoErrors.ts"
import {
  type Attributes,
  type Backend,
  Cancelled,
  type Definition,
  type Expression,
  type KeySchema,
  type Page,
  type PageRequest,
  type StoreFailure,
  type TransactionWrite,
  Unmet
} from "./Backend.ts"
import * as Evaluate from "./Evaluate.ts"
import * as ItemSize from "./ItemSize.ts"

interface Kept {
  readonly definition: Definition
  readonly items: Map<string, Attributes>
}

type Outcome<A, E = never> = Result.Result<A, E | StoreFailure>

const namesOf = ({ partition, sort }: KeySchema): ReadonlyArray<string> =>
  sort === undefined ? [partition] : [partition, sort]

/** Returns the key as the key of a map. */
const idOf = ({ definition }: Kept, source: Attributes): string =>
  JSON.stringify(namesOf(definition.key).map((name) => source[name]))

const pick = (item: Attributes, names: ReadonlyArray<string>): Attributes =>
  Object.fromEntries(names.map((name) => [name, item[name]!]))

/** Compares two items by the attributes, in order. */
const compare = (a: Attributes, b: Attributes, names: ReadonlyArray<string>): number => {
  for (const name of names) {
    const by = Evaluate.order(a[name], b[name]) ?? 0
    if (by !== 0) return by
  }
  return 0
}

const refused = (operation: string, table: string, reason: string) =>
  Result.fail(new DynamoRefused({ operation, reason, table }))

/** Returns a page of the items of a table. */
const pageOf = (kept: Kept, request: PageRequest): Outcome<Page> => {
  const { after, descending, filter, index, isConsistent, key, limit = Infinity, table } = request
  const { definition, items } = kept
  const schema = index === undefined ? definition.key : definition.indexes[index]
  if (schema === undefined) return refused("query", table, `there is no index ${index}`)
  if (index !== undefined && isConsistent) {
    return refused("query", table, "an index has no consistent reads")
  }
  const own = namesOf(schema)
  const tested = filter === undefined || key === undefined ? [] : Evaluate.attributesOf(filter)
  if (tested.some((name) => own.includes(name))) {
    return refused("query", table, "a filter has no attributes of the key")
  }
  const names = [...new Set([...own, ...namesOf(definition.key)])]
  // Of a scan the order is open. Here it is that of the keys.
  const sorted = [...items.values()]
    .filter((item) => own.every((name) => Object.hasOwn(item, name)))
    .filter((item) => key === undefined || Evaluate.holds(key, item))
    .sort((a, b) => (descending ? compare(b, a, names) : compare(a, b, names)))
  const first =
    after === undefined
      ? 0
      : sorted.findIndex((item) => {
          const by = compare(item, after, names)
          return descending ? by < 0 : by > 0
        })
  const rest = first === -1 ? [] : sorted.slice(first)
  const seen = rest.slice(0, limit)
  const last = seen.at(-1)
  return Result.succeed({
    items: seen.filter((item) => filter === undefined || Evaluate.holds(filter, item)),
    // As in DynamoDB, a page that was full may be the last one.
    next: last === undefined || seen.length < limit ? undefined : pick(last, names)
  })
}

/** Creates a backend without tables. */
export const make = (): Backend => {
  const tables = new Map<string, Kept>()
  /** The transactions that were carried out, by token. */
  const tokens = new Map<string, ReadonlyArray<TransactionWrite>>()

  const run = <A, E = never>(
    table: string,
    use: (kept: Kept) => Outcome<A, E>
  ): Effect.Effect<A, E | StoreFailure> =>
    Effect.suspend(() => {
      const kept = tables.get(table)
      return Effect.fromResult<A, E | StoreFailure>(
        kept === undefined ? Result.fail(new TableNotFound({ table })) : use(kept)
      )
    })

  const guarded = (
    {
      expression,
      wantsItem
    }: { readonly expression: Expression | undefined; readonly wantsItem: boolean },
    item: Attributes | undefined
  ): Unmet | undefined =>
    expression === undefined || Evaluate.holds(expression, item)
      ? undefined
      : new Unmet({ item: wantsItem ? item : undefined })

  /** Decides a write, and returns what carries it out. */
  const decide = (
    kept: Kept,
    write: TransactionWrite
  ): Outcome<() => Attributes, ItemTooLarge | Unmet> => {
    const id = idOf(kept, write.op === "put" ? write.item : write.key)
    const before = kept.items.get(id)
    const failure = guarded(write.guard, before)
    if (failure !== undefined) return Result.fail(failure)
    switch (write.op) {
      case "check":
        return Result.succeed(() => before ?? {})
      case "delete":
        return Result.succeed(() => {
          kept.items.delete(id)
          return before ?? {}
        })
      case "put":
        return Result.succeed(() => {
          kept.items.set(id, write.item)
          return write.item
        })
      case "update": {
        const after = Evaluate.changed(before ?? write.key, write.change)
        if (after === undefined) {
          return refused("update", write.table, "an attribute to add to is no number")
        }
        if (ItemSize.ofItem(after) > ItemSize.maxItem) {
          return Result.fail(new ItemTooLarge({ limit: ItemSize.maxItem, table: write.table }))
        }
        return Result.succeed(() => {
          kept.items.set(id, after)
          return after
        })
      }
    }
  }

  const one = (
    write: TransactionWrite
  ): Effect.Effect<Attributes, ItemTooLarge | StoreFailure | Unmet> =>
    run(write.table, (kept) => Result.map(decide(kept, write), (carryOut) => carryOut()))

  /** Carries out a write that changes no stored item: its own was checked before. */
  const replace = (write: TransactionWrite): Effect.Effect<void, StoreFailure | Unmet> =>
    Effect.asVoid(Effect.catchTag(one(write), "ItemTooLarge", Effect.die))

  const missing = (parts: ReadonlyArray<{ readonly table: string }>) => {
    const part = parts.find(({ table }) => !tables.has(table))
    return part === undefined ? undefined : new TableNotFound(part)
  }

  return {
    batchGet: (table, keys) =>
      run(table, (kept) =>
        Result.succeed({
          items: keys
            .map((key) => kept.items.get(idOf(kept, key)))
            .filter((item) => item !== undefined),
          unprocessed: []
        })
      ),
    batchWrite: (table, writes) =>
      run(table, (kept) => {
        for (const write of writes) {
          if (write.op === "put") kept.items.set(idOf(kept, write.item), write.item)
          else kept.items.delete(idOf(kept, write.key))
        }
        return Result.succeed([])
      }),
    create: (definition) =>
      Effect.sync(() => {
        const { name } = definition
        if (!tables.has(name)) tables.set(name, { definition, items: new Map() })
      }),
    delete: (table, key, guard) => replace({ guard, key, op: "delete", table }),
    get: (table, key) => run(table, (kept) => Result.succeed(kept.items.get(idOf(kept, key)))),
    page: (request) => run(request.table, (kept) => pageOf(kept, request)),
    ping: (names) =>
      Effect.suspend(() => {
        const failure = missing(names.map((table) => ({ table })))
        return failure === undefined ? Effect.void : Effect.fail(failure)
      }),
    put: (table, item, guard) => replace({ guard, item, op: "put", table }),
    transactGet: (reads) =>
      Effect.suspend(() => {
        const failure = missing(reads)
        if (failure !== undefined) return Effect.fail(failure)
        return Effect.succeed(
          reads.map(({ key, table }) => {
            const kept = tables.get(table)!
            return kept.items.get(idOf(kept, key))
          })
        )
      }),
    transactWrite: (writes, token) =>
      Effect.suspend((): Effect.Effect<void, Cancelled | StoreFailure> => {
        const failure = missing(writes)
        if (failure !== undefined) return Effect.fail(failure)
        const operation = "transactWrite"
        const table = writes.map((write) => write.table).join(", ")
        const before = token === undefined ? undefined : tokens.get(token)
        if (before !== undefined) {
          if (isDeepStrictEqual(before, writes)) return Effect.void
          const reason = "the token belongs to another transaction"
          return Effect.fail(new DynamoRefused({ operation, reason, table }))
        }
        const places = writes.map(
          (write) =>
            `${write.table} ${idOf(tables.get(write.table)!, write.op === "put" ? write.item : write.key)}`
        )
        if (new Set(places).size < places.length) {
          const reason = "a transaction has one part for each item at most"
          return Effect.fail(new DynamoRefused({ operation, reason, table }))
        }
        const decided = writes.map((write) => decide(tables.get(write.table)!, write))
        const reasons = decided.map((result) => {
          if (Result.isSuccess(result)) return { code: "None", item: undefined }
          return result.failure._tag === "Unmet"
            ? { code: "ConditionalCheckFailed", item: result.failure.item }
            : { code: "ValidationError", item: undefined }
        })
        if (decided.some(Result.isFailure)) return Effect.fail(new Cancelled({ reasons }))
        for (const result of decided) if (Result.isSuccess(result)) result.success()
        if (token !== undefined) tokens.set(token, writes)
        return Effect.void
      }),
    update: (table, key, change, guard) => one({ change, guard, key, op: "update", table })
  }
}
