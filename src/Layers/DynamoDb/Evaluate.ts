/** Expressions, applied to items in memory as DynamoDB applies them. */
import { isDeepStrictEqual } from "node:util"
import type { Attributes, Change, Expression, Value } from "./Backend.ts"

/** Compares two numbers, or two texts by their bytes; undefined for other values. */
export const order = (a: Value | undefined, b: Value | undefined): number | undefined => {
  if (typeof a === "number" && typeof b === "number") return a - b
  return typeof a === "string" && typeof b === "string"
    ? Buffer.compare(Buffer.from(a), Buffer.from(b))
    : undefined
}

const isEqual = (a: Value | undefined, b: Value): boolean =>
  order(a, b) === 0 || isDeepStrictEqual(a, b)

const compares = (
  found: Value | undefined,
  symbol: "<" | "<=" | "<>" | "=" | ">" | ">=",
  value: Value
): boolean => {
  if (symbol === "=") return isEqual(found, value)
  if (symbol === "<>") return !isEqual(found, value)
  const by = order(found, value)
  if (by === undefined) return false
  switch (symbol) {
    case "<":
      return by < 0
    case "<=":
      return by <= 0
    case ">":
      return by > 0
    case ">=":
      return by >= 0
  }
}

/** Checks whether an expression holds for an item. Undefined has no attributes. */
export const holds = (expression: Expression, item: Attributes = {}): boolean => {
  switch (expression.op) {
    case "and":
      return expression.all.every((each) => holds(each, item))
    case "not":
      return !holds(expression.expression, item)
    case "or":
      return expression.all.some((each) => holds(each, item))
    default: {
      const { attribute } = expression
      const found = Object.hasOwn(item, attribute) ? item[attribute] : undefined
      return holdsFor(expression, found)
    }
  }
}

const holdsFor = (
  expression: Exclude<Expression, { readonly op: "and" | "not" | "or" }>,
  found: Value | undefined
): boolean => {
  switch (expression.op) {
    case "absent":
      return found === undefined
    case "begins":
      return typeof found === "string" && found.startsWith(expression.prefix)
    case "between":
      return compares(found, ">=", expression.low) && compares(found, "<=", expression.high)
    case "compare":
      return compares(found, expression.symbol, expression.value)
    case "contains": {
      const { value } = expression
      if (typeof found === "string") return typeof value === "string" && found.includes(value)
      return Array.isArray(found) && found.some((each) => isEqual(each, value))
    }
    case "exists":
      return found !== undefined
    case "in":
      return expression.values.some((value) => isEqual(found, value))
  }
}

/** Returns the attributes that an expression tests. */
export const attributesOf = (expression: Expression): ReadonlyArray<string> => {
  switch (expression.op) {
    case "and":
    case "or":
      return expression.all.flatMap(attributesOf)
    case "not":
      return attributesOf(expression.expression)
    default:
      return [expression.attribute]
  }
}

/** Returns the item after a change; undefined if it adds to what is no number. */
export const changed = (item: Attributes, { add, remove, set }: Change): Attributes | undefined => {
  const next = new Map(Object.entries({ ...item, ...set }))
  for (const attribute of remove) next.delete(attribute)
  for (const [attribute, value] of Object.entries(add)) {
    const before = next.get(attribute) ?? 0
    if (typeof before !== "number") return undefined
    next.set(attribute, before + value)
  }
  return Object.fromEntries(next)
}
