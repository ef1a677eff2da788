/** Items of a table in their stored form, checked before they are sent. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import { InvalidItem, ItemTooLarge, ItemUndecodable } from "../../Contract/DynamoErrors.ts"
import * as OwnKeys from "../../Contract/OwnKeys.ts"
import type {
  Attributes,
  Definition,
  Expression,
  KeyAttributes,
  KeySchema,
  Value
} from "./Backend.ts"
import type { Encode } from "./Condition.ts"
import * as ItemSize from "./ItemSize.ts"
import type { SchemaOf } from "./Table.ts"

/** The most bytes of a partition key and of a sort key, and the deepest nesting. */
const [maxPartition, maxSort, maxDepth] = [2048, 1024, 32]

/** The smallest number that DynamoDB stores beside zero. */
const minNumber = 1e-130

const format = SchemaIssue.makeFormatterStandardSchemaV1()

/** Returns where a value does not fit its schema. The values and the messages are left out. */
const pathsOf = ({ issue }: Schema.SchemaError): ReadonlyArray<string> => [
  ...new Set(
    format(issue).issues.map(({ path = [] }) =>
      path.map((each) => `/${String(typeof each === "object" ? each.key : each)}`).join("")
    )
  )
]

/** Converts items, keys and attributes of a table. */
export interface ItemCodec<Item> {
  /** Returns a test of a sort key. Throws `InvalidItem` if it has a value that is no key. */
  readonly checkTest: (test: Expression) => Expression
  readonly decode: (stored: Attributes) => Effect.Effect<Item, ItemUndecodable>
  readonly encode: (item: Item) => Effect.Effect<Attributes, InvalidItem | ItemTooLarge>
  /** Returns the function that encodes values of an attribute. It throws `InvalidItem`. */
  readonly encoderOf: (attribute: string) => Encode
  /** Returns the attributes of keys. Throws `InvalidItem`. */
  readonly keyOf: (source: object, keys?: ReadonlyArray<KeySchema>) => Attributes
  /** Returns the key of a stored item as errors name it. */
  readonly named: (stored: Attributes) => KeyAttributes
  /** Returns attributes to write. Throws `InvalidItem`. */
  readonly set: (attributes: object) => Attributes
}

/** Runs a function that may throw `InvalidItem`. */
export const attempt = <A>(run: () => A): Effect.Effect<A, InvalidItem> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(run())
    } catch (error) {
      return error instanceof InvalidItem ? Effect.fail(error) : Effect.die(error)
    }
  })

/** Creates the codec of a table. `table` is its name with the prefix. */
export const make = <Item>(
  table: string,
  schema: SchemaOf<Item>,
  { indexes, key, types }: Definition
): ItemCodec<Item> => {
  const codec: Schema.Codec<Item, unknown> = Schema.toCodecJson(schema)
  const decode = OwnKeys.decodeUnknownEffect(codec)
  const encode = OwnKeys.encodeUnknownEffect(codec)
  const encoders = new Map<string, (value: unknown) => Value>()
  const sorts = new Set([key, ...Object.values(indexes)].map(({ sort }) => sort))

  const refuse = (attribute: string, reason: string) =>
    new InvalidItem({ attribute, reason, table })

  /** Throws if a value cannot be stored. */
  const checkValue = (attribute: string, value: Value, depth: number): void => {
    if (depth > maxDepth) throw refuse(attribute, `it is nested deeper than ${maxDepth} levels`)
    if (typeof value === "number") {
      const size = Math.abs(value)
      if (size > Number.MAX_SAFE_INTEGER || (size > 0 && size < minNumber)) {
        throw refuse(attribute, "the number is too large or too small to be stored exactly")
      }
    } else if (typeof value === "string") {
      if (!value.isWellFormed()) throw refuse(attribute, "it is no Unicode text")
    } else if (typeof value === "object" && value !== null) {
      for (const [name, each] of Object.entries(value)) {
        if (!name.isWellFormed()) throw refuse(attribute, "a name in it is no Unicode text")
        checkValue(attribute, each, depth + 1)
      }
    }
  }

  const checkKey = (attribute: string, value: Value | undefined): void => {
    const type = types[attribute]
    if (type === "N") {
      if (typeof value !== "number") throw refuse(attribute, "a key is a finite number here")
      return
    }
    if (typeof value !== "string") throw refuse(attribute, "a key is text here")
    if (value === "") throw refuse(attribute, "a key cannot be empty")
    const limit = sorts.has(attribute) ? maxSort : maxPartition
    if (Buffer.byteLength(value) > limit) {
      throw refuse(attribute, `a key has at most ${limit} bytes here`)
    }
  }

  /** Throws if attributes cannot be written. */
  const check = (attributes: Attributes): void => {
    for (const [attribute, value] of Object.entries(attributes)) {
      checkValue(attribute, value, 0)
      if (Object.hasOwn(types, attribute)) checkKey(attribute, value)
    }
  }

  const encoderOf: ItemCodec<Item>["encoderOf"] = (attribute) => {
    const known = encoders.get(attribute)
    if (known !== undefined) return known
    const field = Object.hasOwn(schema.fields, attribute) ? schema.fields[attribute] : undefined
    if (field === undefined) {
      throw new TypeError(`The schema of the table ${JSON.stringify(table)} has no ${attribute}.`)
    }
    // A test may have part of a value, such as the first letters of an id: checks do not apply to it.
    const run = Schema.encodeUnknownResult(
      OwnKeys.encoding(Schema.toCodecJson(field as typeof codec)),
      { disableChecks: true }
    )
    const encoder = (value: unknown): Value => {
      const result = run(value)
      if (result._tag === "Failure") throw refuse(attribute, "it does not fit the schema")
      const stored = result.success as Value // the form of JSON
      checkValue(attribute, stored, 0)
      return stored
    }
    encoders.set(attribute, encoder)
    return encoder
  }

  const named: ItemCodec<Item>["named"] = (stored) => {
    const { partition, sort } = key
    return Object.fromEntries(
      [partition, ...(sort === undefined ? [] : [sort])].flatMap((name) => {
        const value = stored[name]
        return typeof value === "number" || typeof value === "string" ? [[name, value]] : []
      })
    )
  }

  return {
    checkTest: (test) => {
      if (test.op === "begins") checkKey(test.attribute, test.prefix)
      if (test.op === "compare") checkKey(test.attribute, test.value)
      if (test.op === "between") {
        checkKey(test.attribute, test.low)
        checkKey(test.attribute, test.high)
      }
      return test
    },
    decode: (stored) =>
      Effect.mapError(
        decode(stored),
        (error) => new ItemUndecodable({ key: named(stored), paths: pathsOf(error), table })
      ),
    encode: Effect.fnUntraced(function* (item) {
      const encoded = (yield* Effect.mapError(encode(item), (error) =>
        refuse(pathsOf(error)[0] ?? "", "it does not fit the schema")
      )) as Attributes // the form of JSON of a struct
      const stored = Object.fromEntries(
        Object.entries(encoded).filter(
          ([name]) => Reflect.get(item as object, name) !== undefined || encoded[name] !== null
        )
      )
      yield* attempt(() => {
        checkKey(key.partition, stored[key.partition])
        if (key.sort !== undefined) checkKey(key.sort, stored[key.sort])
        check(stored)
      })
      if (ItemSize.ofItem(stored) > ItemSize.maxItem) {
        return yield* new ItemTooLarge({ limit: ItemSize.maxItem, table })
      }
      return stored
    }),
    encoderOf,
    keyOf: (source, keys = [key]) => {
      const names = new Set(
        keys.flatMap(({ partition, sort }) =>
          sort === undefined ? [partition] : [partition, sort]
        )
      )
      return Object.fromEntries(
        [...names].map((name) => {
          const value: unknown = Reflect.get(source, name)
          if (value === undefined) throw refuse(name, "a key is missing")
          const stored = encoderOf(name)(value)
          checkKey(name, stored)
          return [name, stored]
        })
      )
    },
    named,
    set: (attributes) => {
      const stored = Object.fromEntries(
        Object.entries(attributes).flatMap(([name, value]): Array<[string, Value]> =>
          value === undefined ? [] : [[name, encoderOf(name)(value)]]
        )
      )
      check(stored)
      return stored
    }
  }
}
