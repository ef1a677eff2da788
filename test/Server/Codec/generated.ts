/** Schemas of many shapes with values for them, from a seed. For tests that compare. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import { random } from "../generatedApi.ts"

type Next = () => number

/** A schema and a source of values that it has. */
export interface Sample {
  readonly schema: Schema.Top
  readonly value: () => unknown
}

const pick = <A>(next: Next, list: ReadonlyArray<A>): A => list[Math.floor(next() * list.length)]!

class Person extends Schema.Class<Person>("Person")({
  age: Schema.Int,
  name: Schema.String
}) {}

interface Tree {
  readonly children: ReadonlyArray<Tree>
  readonly next?: Tree
  readonly value: number
}

const Tree = Schema.Struct({
  children: Schema.Array(Schema.suspend((): Schema.Codec<Tree> => Tree)),
  next: Schema.optionalKey(Schema.suspend((): Schema.Codec<Tree> => Tree)),
  value: Schema.Int
})

const tree = (next: Next, depth: number): Tree => ({
  children: depth === 0 ? [] : Array.from({ length: 2 }, () => tree(next, depth - 1)),
  ...(next() < 0.3 && { next: tree(next, 0) }),
  value: Math.floor(next() * 9)
})

const strings = ["", "a", "b", "1", "true", "null", "ä€😀", "a,b", " padded ", "__proto__", "2020"]

const instant = DateTime.makeUnsafe("2020-01-01T00:00:00.000Z")

const Trimmed = Schema.String.pipe(
  Schema.decodeTo(Schema.String, {
    decode: SchemaGetter.transform((text: string) => text.trim()),
    encode: SchemaGetter.passthrough()
  })
)

const reverse = SchemaGetter.transform((text: string) => [...text].toReversed().join(""))

export const Reversed = Schema.String.pipe(
  Schema.decodeTo(Schema.String, { decode: reverse, encode: reverse }),
  Schema.decodeTo(Schema.FiniteFromString)
)

const Later = Schema.String.pipe(
  Schema.decodeTo(Schema.String, {
    decode: SchemaGetter.transformEffect((text: string) => Effect.delay(Effect.succeed(text), 0)),
    encode: SchemaGetter.transformEffect((text: string) => Effect.delay(Effect.succeed(text), 0))
  })
)

const leaves: ReadonlyArray<(next: Next) => Sample> = [
  (next) => ({ schema: Schema.String, value: () => pick(next, strings) }),
  (next) => ({ schema: Schema.Int, value: () => pick(next, [0, 1, -7, 2 ** 53 - 1]) }),
  (next) => ({ schema: Schema.Finite, value: () => pick(next, [0, -0, 1.5, -7e-7, 1e300]) }),
  (next) => ({ schema: Schema.Number, value: () => pick(next, [1.5, Number.NaN, Infinity]) }),
  (next) => ({ schema: Schema.Boolean, value: () => next() < 0.5 }),
  () => ({ schema: Schema.Null, value: () => null }),
  (next) => ({ schema: Schema.Literals(["a", "b", "c"]), value: () => pick(next, ["a", "b"]) }),
  (next) => ({ schema: Schema.Literals([1, 2, "x"]), value: () => pick(next, [1, "x"]) }),
  (next) => ({ schema: Schema.Literals([true, 7]), value: () => pick(next, [true, 7]) }),
  () => ({ schema: Schema.BigInt, value: () => 12n }),
  () => ({ schema: Schema.DateTimeUtcFromString, value: () => instant }),
  () => ({ schema: Schema.DateTimeUtc, value: () => instant }),
  () => ({ schema: Schema.Date, value: () => new Date(0) }),
  () => ({ schema: Schema.URL, value: () => new URL("http://localhost/a?b") }),
  (next) => ({ schema: Schema.FiniteFromString, value: () => pick(next, [1, 2.5]) }),
  (next) => ({ schema: Schema.NumberFromString, value: () => pick(next, [1, Number.NaN]) }),
  (next) => ({
    schema: Schema.String.pipe(Schema.check(Schema.isMinLength(1), Schema.isMaxLength(5))),
    value: () => pick(next, ["a", "12345"])
  }),
  (next) => ({
    schema: Schema.Int.pipe(
      Schema.check(Schema.isBetween({ maximum: 100, minimum: 1 })),
      Schema.brand("Size")
    ),
    value: () => pick(next, [1, 50, 100])
  }),
  (next) => ({
    schema: Schema.Number.pipe(Schema.check(Schema.isInt32())),
    value: () => pick(next, [1, -50])
  }),
  (next) => ({ schema: Trimmed, value: () => pick(next, ["a", "b c"]) }),
  (next) => ({ schema: Reversed, value: () => pick(next, [12, 340]) }),
  () => ({ schema: Schema.TemplateLiteral(["id-", Schema.Int]), value: () => "id-12" }),
  () => ({ schema: Schema.Enum({ A: "a", B: 2 }), value: () => 2 })
]

const nested: ReadonlyArray<(next: Next) => Sample> = [
  () => ({ schema: Person, value: () => new Person({ age: 1, name: "n" }) }),
  (next) => ({ schema: Tree, value: () => tree(next, 2) }),
  () => ({ schema: Schema.Unknown, value: () => ({ any: [1, null] }) }),
  () => ({ schema: Schema.Any, value: () => ({ any: [1, null] }) }),
  () => ({ schema: Schema.Struct({}), value: () => ({ any: 1 }) }),
  (next) => {
    const item = sample(next, 0)
    return {
      schema: Schema.Option(item.schema),
      value: () => (next() < 0.3 ? Option.none() : Option.some(item.value()))
    }
  },
  (next) => {
    const item = sample(next, 0)
    return { schema: Schema.NullOr(item.schema), value: () => (next() < 0.3 ? null : item.value()) }
  },
  (next) => {
    const item = sample(next, 1)
    return {
      schema: pick(next, [Schema.Array, Schema.NonEmptyArray])(item.schema),
      value: () => Array.from({ length: 1 + Math.floor(next() * 3) }, item.value)
    }
  },
  (next) => {
    const [a, b] = [sample(next, 0), sample(next, 0)]
    return {
      schema: Schema.Tuple([a.schema, b.schema]),
      value: () => [a.value(), b.value()]
    }
  },
  (next) => {
    const item = sample(next, 0)
    return {
      schema: Schema.Record(Schema.String, item.schema),
      value: () => ({ a: item.value(), ["__proto__"]: item.value(), "b c": item.value() })
    }
  },
  (next) => {
    const item = sample(next, 0)
    return {
      schema: Schema.Union([Schema.Struct({ a: Later }), Schema.Struct({ a: item.schema })]),
      value: () => ({ a: next() < 0.5 ? item.value() : "later" })
    }
  },
  (next) => {
    const item = sample(next, 0)
    return {
      schema: Schema.Union([Schema.Record(Schema.String, item.schema), Schema.Unknown]),
      value: () => ({ [next() < 0.5 ? "a" : "__proto__"]: item.value() })
    }
  },
  (next) => {
    const [a, b] = [struct(next, 0, 2), struct(next, 0, 3)]
    return {
      schema: Schema.Union([a.schema, b.schema]),
      value: () => (next() < 0.5 ? a.value() : b.value())
    }
  },
  (next) => {
    const [a, b] = [sample(next, 0), sample(next, 0)]
    return {
      schema: Schema.Union([
        Schema.TaggedStruct("A", { a: a.schema }),
        Schema.TaggedStruct("B", { b: b.schema })
      ]),
      value: () => (next() < 0.5 ? { _tag: "A", a: a.value() } : { _tag: "B", b: b.value() })
    }
  }
]

const twice = Schema.String.pipe(
  Schema.withDecodingDefaultKey(Effect.succeed("7")),
  Schema.decodeTo(Schema.FiniteFromString),
  Schema.withDecodingDefaultKey(Effect.succeed("8"))
)

const inner = Schema.Struct({
  a: Schema.String.pipe(
    Schema.withDecodingDefaultKey(Effect.succeed("7")),
    Schema.decodeTo(Schema.FiniteFromString)
  ),
  b: Schema.suspend(() => twice)
})

/** Returns a field of a struct, with a value that may be missing. */
const field = (next: Next, depth: number): Sample => {
  const { schema, value } = sample(next, depth)
  const form = next()
  if (form > 0.95) return { schema: twice, value: () => pick(next, [1, 2]) }
  if (form > 0.9) return { schema: inner, value: () => ({ a: 1, b: pick(next, [1, 2]) }) }
  if (form < 0.15) return { schema: Schema.optionalKey(schema), value: () => absentOr(next, value) }
  if (form < 0.3) {
    return {
      schema: Schema.optional(schema),
      value: () => (next() < 0.3 ? undefined : absentOr(next, value))
    }
  }
  if (form < 0.45) {
    const fallback = Schema.encodeUnknownExit(schema as Schema.Codec<unknown>)(value())
    if (fallback._tag === "Success") {
      return {
        schema: Schema.withDecodingDefaultKey(Effect.succeed(fallback.value))(schema),
        value
      }
    }
  }
  return { schema, value }
}

/** In place of the value of a key that is missing. */
const absent = Symbol("absent")

const absentOr = (next: Next, value: () => unknown) => (next() < 0.4 ? absent : value())

/** Returns a struct of a number of fields. */
export const struct = (next: Next, depth: number, size: number, names = "f"): Sample => {
  const fields = Array.from({ length: size }, (_, i): readonly [string, Sample] => [
    `${names}${i}`,
    field(next, depth)
  ])
  if (next() < 0.05) fields.push(["__proto__", field(next, depth)])
  return {
    schema: Schema.Struct(
      Object.fromEntries(fields.map(([name, { schema }]) => [name, schema]))
    ) as Schema.Top,
    value: () =>
      Object.fromEntries(
        fields
          .map(([name, { value }]) => [name, value()] as const)
          .filter(([, value]) => value !== absent)
      )
  }
}

/** Returns a schema of any shape, nested at most `depth` deep. */
export const sample = (next: Next, depth: number): Sample => {
  if (depth === 0 || next() < 0.4) return pick(next, leaves)(next)
  return next() < 0.5
    ? struct(next, depth - 1, 1 + Math.floor(next() * 4))
    : pick(next, nested)(next)
}

const words = ["1", "", "x", "true", "null", "a", "2020-01-01T00:00:00.000Z", "-7", "NaN", "1e3"]

/** A struct of texts, as those of queries and headers are; its values are names and texts. */
export interface TextSample {
  readonly pairs: () => ReadonlyArray<[name: string, text: string]>
  readonly schema: Schema.Top
}

/** Returns a flat struct of texts. Some of its values are not of the schema. */
export const texts = (next: Next): TextSample => {
  const { schema, value } = struct(next, 0, 1 + Math.floor(next() * 4), "x-")
  const encode = Schema.encodeUnknownSync(
    Schema.toCodecStringTree(schema as Schema.Codec<unknown>)
  ) as (value: unknown) => Readonly<Record<string, string | undefined>>
  return {
    pairs: () =>
      Object.entries(encode(value())).map(([name, text]) => [
        name,
        text === undefined || next() < 0.1 ? pick(next, words) : text
      ]),
    schema
  }
}

/** A schema that has to wait, both ways. */
export const later: Sample = { schema: Later, value: () => "later" }

const odd: ReadonlyArray<unknown> = [
  undefined,
  null,
  "",
  "1",
  "1.5",
  "x",
  "true",
  0,
  1.5,
  -0,
  true,
  1n,
  [],
  [1],
  ["a", "b"],
  {},
  { a: 1 },
  () => 1
]

/** Returns a value with something of it changed, deep inside as often as not. */
export const mutate = (next: Next, value: unknown): unknown => {
  if (next() < 0.35 || typeof value !== "object" || value === null) return pick(next, odd)
  if (Array.isArray(value)) {
    return next() < 0.3
      ? [...value, pick(next, odd)]
      : value.map((item) => (next() < 0.5 ? mutate(next, item) : item))
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return pick(next, odd)
  const entries = Object.entries(value)
  const at = Math.floor(next() * entries.length)
  const form = next()
  if (form < 0.25) return Object.fromEntries(entries.toSpliced(at, 1))
  if (form < 0.4) return Object.fromEntries([...entries, ["extra", pick(next, odd)]])
  return Object.fromEntries(
    entries.map(([name, item], i) => [name, i === at ? mutate(next, item) : item])
  )
}

export { random }
