/** The size of items, as DynamoDB counts it. */
import type { Attributes, Value } from "./Backend.ts"

/** The most bytes of an item. */
export const maxItem = 409_600

/** Returns the bytes of a value. */
export const ofValue = (value: Value): number => {
  switch (typeof value) {
    case "boolean":
      return 1
    case "number": {
      const digits = String(Math.abs(value)).replaceAll(/[-.]|e.*/g, "").length
      return Math.ceil(digits / 2) + (value < 0 ? 2 : 1)
    }
    case "string":
      return Buffer.byteLength(value)
    default: {
      if (value === null) return 1
      let total = 3
      for (const [name, each] of Object.entries(value)) {
        total += 1 + ofValue(each)
        if (!Array.isArray(value)) total += Buffer.byteLength(name)
      }
      return total
    }
  }
}

/** Returns the bytes of an item. */
export const ofItem = (item: Attributes): number =>
  Object.entries(item).reduce(
    (total, [name, value]) => total + Buffer.byteLength(name) + ofValue(value),
    0
  )
