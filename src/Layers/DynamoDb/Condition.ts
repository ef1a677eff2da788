/** Tests of attributes: for conditions of writes, filters of reads, and the sort key of a query. */
import type { Expression, Value } from "./Backend.ts"
import * as Evaluate from "./Evaluate.ts"

/** The most values of one `in` of DynamoDB. */
const maxOperands = 100

/** Returns an expression that holds for no item. */
const never = (attribute: string): Expression => ({
  all: [
    { attribute, op: "absent" },
    { attribute, op: "exists" }
  ],
  op: "and"
})

/** Returns the stored form of a value of the attribute. */
export type Encode = (value: unknown) => Value

type Build = (attribute: string, encode: Encode) => Expression

declare const Tested: unique symbol

/** A test of an attribute whose values have the type `T`. The functions of `Condition` create it. */
export class Test<out T> {
  declare readonly [Tested]: T
  /** Builds the expression that tests an attribute. */
  readonly build: Build

  constructor(build: Build) {
    this.build = build
  }
}

declare const Ranged: unique symbol

/** A test that DynamoDB also takes for the sort key of a query. */
export class Range<out T> extends Test<T> {
  declare readonly [Ranged]: true
}

const comparison =
  (symbol: "<" | "<=" | "<>" | "=" | ">" | ">=") =>
  (value: unknown): Build =>
  (attribute, encode) => ({ attribute, op: "compare", symbol, value: encode(value) })

const [below, most, other, same, above, least] = [
  comparison("<"),
  comparison("<="),
  comparison("<>"),
  comparison("="),
  comparison(">"),
  comparison(">=")
]

/** Tests whether the attribute does not exist. */
export const absent: Test<never> = new Test((attribute) => ({ attribute, op: "absent" }))

/** Tests whether the attribute is at least this value. */
export const atLeast = <T>(value: T): Range<T> => new Range(least(value))

/** Tests whether the attribute is at most this value. */
export const atMost = <T>(value: T): Range<T> => new Range(most(value))

/** Tests whether the text of the attribute begins with a prefix. */
export const beginsWith = <T extends string = string>(prefix: string): Range<T> =>
  new Range((attribute) => ({ attribute, op: "begins", prefix }))

/** Tests whether the attribute is from `low` to `high`, both included. None is if `low` is greater. */
export const between = <T>(low: T, high: T): Range<T> =>
  new Range((attribute, encode) => {
    const [least, most] = [encode(low), encode(high)]
    // DynamoDB refuses bounds in the wrong order.
    return (Evaluate.order(least, most) ?? 0) > 0
      ? never(attribute)
      : { attribute, high: most, low: least, op: "between" }
  })

/** Tests whether the text of the attribute contains a text, or its list an element. */
export const contains = <T extends ReadonlyArray<number | string> | string = string>(
  value: number | string
): Test<T> => new Test((attribute) => ({ attribute, op: "contains", value }))

/** Tests whether the attribute is this value. A value alone in a condition is the same. */
export const equals = <T>(value: T): Range<T> => new Range(same(value))

/** Tests whether the attribute exists. */
export const exists: Test<never> = new Test((attribute) => ({ attribute, op: "exists" }))

/** Tests whether the attribute is greater than this value. */
export const greaterThan = <T>(value: T): Range<T> => new Range(above(value))

/** Tests whether the attribute is less than this value. */
export const lessThan = <T>(value: T): Range<T> => new Range(below(value))

/** Tests whether a test does not hold. */
export const not = <T>(test: Test<T>): Test<T> =>
  new Test((attribute, encode) => ({ expression: test.build(attribute, encode), op: "not" }))

/** Tests whether the attribute is not this value. It holds for an attribute that does not exist. */
export const notEquals = <T>(value: T): Test<T> => new Test(other(value))

/** Tests whether the attribute is one of these values. */
export const oneOf = <T>(values: ReadonlyArray<T>): Test<T> =>
  new Test((attribute, encode) => {
    const all: Array<Expression> = []
    for (let at = 0; at < values.length; at += maxOperands) {
      const some = values.slice(at, at + maxOperands)
      all.push({ attribute, op: "in", values: some.map(encode) })
    }
    return all.length === 0 ? never(attribute) : { all, op: "or" }
  })

/** A value, which the attribute must equal, or a test of it. */
export type TestOrValue<T> = T | Test<T>

/**
 * Tests of the attributes of an item. All tests of a record must hold, and one record of a list.
 *
 * @example
 * ```ts
 * import { Condition } from "flange/DynamoDb"
 *
 * interface Order {
 *   readonly status: "open" | "sent"
 *   readonly total: number
 * }
 *
 * export const urgent: Condition.Where<Order> = [
 *   { status: "open", total: Condition.atLeast(1000) },
 *   { status: Condition.notEquals("sent"), total: Condition.lessThan(5) }
 * ]
 * urgent.length // => 2
 * ```
 */
export type Where<Item> = ReadonlyArray<Tests<Item>> | Tests<Item>

/** Tests by attribute. All of them must hold. */
export type Tests<Item> = {
  readonly [Name in keyof Item]?: TestOrValue<Exclude<Item[Name], undefined>> | undefined
}

/** Returns the expression of a test of an attribute. */
export const expressionOf = (attribute: string, test: unknown, encode: Encode): Expression =>
  test instanceof Test
    ? test.build(attribute, encode)
    : { attribute, op: "compare", symbol: "=", value: encode(test) }

/** Returns the expression of conditions; undefined if they test nothing. */
export const compile = (
  where: object | ReadonlyArray<object>,
  encoderOf: (attribute: string) => Encode
): Expression | undefined => {
  const records = Array.isArray(where) ? where : [where]
  if (records.length === 0) {
    throw new TypeError(
      "A list of conditions is empty. Leave it out, or give it a record of tests."
    )
  }
  const all = records.map((record: object): Expression => {
    const tests = Object.entries(record).filter(([, test]) => test !== undefined)
    return {
      all: tests.map(([attribute, test]) => expressionOf(attribute, test, encoderOf(attribute))),
      op: "and"
    }
  })
  // A record without tests holds always, and so does a list that has one.
  const isAlways = all.some((each) => each.op === "and" && each.all.length === 0)
  return isAlways ? undefined : { all, op: "or" }
}
