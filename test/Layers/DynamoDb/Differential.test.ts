// Conditions, filters and updates that nobody has thought of: the tables in memory and a local server agree.
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Condition from "../../../src/Layers/DynamoDb/Condition.ts"
import type { Shape } from "../../../src/Layers/DynamoDb/DynamoDb.ts"
import * as Table from "../../../src/Layers/DynamoDb/Table.ts"
import { local, memory } from "./backends.ts"

const Value = Schema.Union([Schema.String, Schema.Finite, Schema.Boolean, Schema.Null])

type Value = typeof Value.Type

const Thing = Schema.Struct({
  a: Schema.optionalKey(Value),
  b: Schema.optionalKey(Value),
  count: Schema.optionalKey(Schema.Finite),
  id: Schema.String,
  kind: Schema.String
})

type Thing = typeof Thing.Type

const Things = Table.make("things", { partitionKey: "kind", schema: Thing, sortKey: "id" })

/** Numbers below one, the same for each seed. */
const randomOf = (seed: number) => {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** dynalite compares texts that are no keys by UTF-16: no two of these differ in that order. */
const ordered = ["", "a", "ab", "b", "B", "é", "😀", "10", "9", 0, -1, 9, 10, 0.5, 1e-7] as const
const values: ReadonlyArray<Value> = [...ordered, true, false, null]

/** dynalite finds neither false nor an empty text by `in` and `between`. */
const filled = ordered.filter((value) => value !== "")

const generator = (seed: number) => {
  const random = randomOf(seed)
  const pick = <A>(from: ReadonlyArray<A>): A => from[Math.floor(random() * from.length)]!
  const test = (depth: number): Condition.TestOrValue<Value> =>
    pick<() => Condition.TestOrValue<Value>>([
      () => pick(values),
      () => Condition.equals(pick(values)),
      () => Condition.notEquals(pick(values)),
      () => Condition.lessThan<Value>(pick(ordered)),
      () => Condition.atMost<Value>(pick(ordered)),
      () => Condition.greaterThan<Value>(pick(ordered)),
      () => Condition.atLeast<Value>(pick(ordered)),
      () => {
        const [low, high] = [pick(filled), pick(filled)]
        // DynamoDB refuses bounds of two types.
        return typeof low === typeof high ? Condition.between<Value>(low, high) : Condition.exists
      },
      () => Condition.beginsWith(pick(["a", "", "é", "1"])),
      () => Condition.contains(pick(["b", "", "9"])),
      () => Condition.oneOf<Value>([pick(filled), pick(filled), true]),
      () => Condition.exists,
      () => Condition.absent,
      () => {
        const inner = depth > 2 ? Condition.exists : test(depth + 1)
        return Condition.not(inner instanceof Condition.Test ? inner : Condition.equals(inner))
      }
    ])()
  const record = () => ({
    ...(random() < 0.7 ? { a: test(0) } : {}),
    ...(random() < 0.4 ? { b: test(0) } : {})
  })
  const where = () => (random() < 0.6 ? record() : [record(), record()])
  const thing = (id: string): Thing => ({
    ...(random() < 0.8 ? { a: pick(values) } : {}),
    ...(random() < 0.5 ? { b: pick(values) } : {}),
    ...(random() < 0.5 ? { count: pick([0, 1.5, -7]) } : {}),
    id,
    kind: "k"
  })
  return { pick, random, thing, where }
}

/** What happens on a backend. */
const story = (dynamo: Shape, seed: number) =>
  Effect.gen(function* () {
    yield* dynamo.create(Things)
    const things = dynamo.table(Things)
    const { pick, random, thing, where } = generator(seed)
    const ids = ["a", "b", "c", "d"]
    const events: Array<unknown> = []
    const tell = <A, E extends { readonly _tag: string }>(effect: Effect.Effect<A, E>) =>
      Effect.map(
        Effect.match(effect, {
          onFailure: ({ _tag }) => _tag,
          onSuccess: (value) => value ?? "done"
        }),
        (event) => void events.push(event)
      )
    for (let n = 0; n < 60; n++) {
      const id = pick(ids)
      const [item, condition] = [thing(id), { if: where() }]
      const choice = random()
      if (choice < 0.4) yield* tell(things.put(item, condition))
      else if (choice < 0.5) yield* tell(things.delete(item, condition))
      else if (choice < 0.8) {
        const change = {
          add: { count: pick([1, -0.5]) },
          remove: pick([["a"], ["b"], []] as const)
        }
        yield* tell(things.update(item, change, condition))
      } else {
        const found = things.query("k", { descending: random() < 0.5, where: where() })
        yield* tell(Stream.runCollect(found))
      }
      yield* tell(Effect.map(Stream.runCollect(things.query("k")), (all) => [...all]))
    }
    return events
  })

describe("tables in memory", () => {
  it.live("do what a local server does", () =>
    Effect.gen(function* () {
      for (let seed = 1; seed <= 6; seed++) {
        const [here, there] = yield* Effect.scoped(
          Effect.gen(function* () {
            return [yield* story(yield* memory.open, seed), yield* story(yield* local.open, seed)]
          })
        )
        expect(here!.length).toBe(120)
        for (const [n, event] of here!.entries()) {
          expect(event, `seed ${seed}, event ${n}`).toEqual(there![n])
        }
      }
    })
  )
})
