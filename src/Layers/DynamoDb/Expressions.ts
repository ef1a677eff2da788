/** Expressions in the language of DynamoDB. Names and values are placeholders always. */
import type { Change, Expression, Value } from "./Backend.ts"
import * as Marshal from "./Marshal.ts"

/** The placeholders of one request. */
export class Placeholders {
  readonly #names = new Map<string, string>()
  readonly #values: Record<string, Marshal.Marshalled> = {}
  #count = 0

  /** Returns the placeholder of a name. The same name has the same one. */
  name(attribute: string): string {
    const known = this.#names.get(attribute)
    if (known !== undefined) return known
    const placeholder = `#n${this.#names.size}`
    this.#names.set(attribute, placeholder)
    return placeholder
  }

  /** Returns the placeholder of a value. */
  value(value: Value): string {
    const placeholder = `:v${this.#count++}`
    this.#values[placeholder] = Marshal.value(value)
    return placeholder
  }

  /** Returns the members of the request that have what the placeholders stand for. */
  members() {
    return {
      ...(this.#names.size === 0
        ? {}
        : {
            ExpressionAttributeNames: Object.fromEntries(
              [...this.#names].map(([attribute, placeholder]) => [placeholder, attribute])
            )
          }),
      ...(this.#count === 0 ? {} : { ExpressionAttributeValues: this.#values })
    }
  }
}

/** Returns the text of an expression. */
export const text = (expression: Expression, to: Placeholders): string => {
  switch (expression.op) {
    case "absent":
      return `attribute_not_exists(${to.name(expression.attribute)})`
    case "and":
    case "or": {
      const parts = expression.all.map((each) => text(each, to))
      return parts.length === 1 ? parts[0]! : `(${parts.join(` ${expression.op} `)})`
    }
    case "begins":
      return `begins_with(${to.name(expression.attribute)}, ${to.value(expression.prefix)})`
    case "between": {
      const { attribute, high, low } = expression
      return `${to.name(attribute)} between ${to.value(low)} and ${to.value(high)}`
    }
    case "compare": {
      const { attribute, symbol, value } = expression
      return `${to.name(attribute)} ${symbol} ${to.value(value)}`
    }
    case "contains":
      return `contains(${to.name(expression.attribute)}, ${to.value(expression.value)})`
    case "exists":
      return `attribute_exists(${to.name(expression.attribute)})`
    case "in": {
      const values = expression.values.map((value) => to.value(value))
      return `${to.name(expression.attribute)} in (${values.join(", ")})`
    }
    case "not":
      return `(not ${text(expression.expression, to)})`
  }
}

/** Returns the text of an update. */
export const update = ({ add, remove, set }: Change, to: Placeholders): string => {
  const clause = (word: string, parts: ReadonlyArray<string>) =>
    parts.length === 0 ? [] : [`${word} ${parts.join(", ")}`]
  return [
    ...clause(
      "set",
      Object.entries(set).map(([attribute, value]) => `${to.name(attribute)} = ${to.value(value)}`)
    ),
    ...clause(
      "remove",
      remove.map((attribute) => to.name(attribute))
    ),
    ...clause(
      "add",
      Object.entries(add).map(([attribute, value]) => `${to.name(attribute)} ${to.value(value)}`)
    )
  ].join(" ")
}
