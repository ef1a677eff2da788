/** The values of attributes. */
import { format } from "effect/Formatter"
import { type Sink, unbounded } from "./Sink.ts"

/** Deeper values are written as text. */
const maxDepth = 16

/** More members of a list or an object are not written. */
const maxMembers = 128

/** Writes the attributes that are given as names and values in turn, as the list of a message. */
export const attributes = (
  sink: Sink,
  field: number,
  entries: ReadonlyArray<unknown>,
  maxLength: number
): void => {
  if (entries.length === 0) return
  sink.openList("attributes")
  for (let i = 0; i < entries.length; i += 2) {
    keyValue(sink, field, String(entries[i]), entries[i + 1], maxLength, 0)
  }
  sink.closeList()
}

/** Writes a field of the type `AnyValue`. */
export const any = (
  sink: Sink,
  field: number,
  name: string,
  value: unknown,
  maxLength: number
): void => {
  const mark = sink.open(field, name, boundOf(value, maxLength))
  content(sink, value, maxLength, 0)
  sink.close(mark)
}

const keyValue = (
  sink: Sink,
  field: number,
  key: string,
  value: unknown,
  maxLength: number,
  depth: number
): void => {
  const bound = boundOf(value, maxLength)
  const pair = sink.item(field, bound + key.length * 3 + 10)
  sink.text(1, "key", key)
  const mark = sink.open(2, "value", bound)
  content(sink, value, maxLength, depth)
  sink.close(mark)
  sink.close(pair)
}

/** Returns a bound of the bytes that a value takes. */
const boundOf = (value: unknown, maxLength: number): number => {
  switch (typeof value) {
    case "bigint":
    case "boolean":
    case "number":
      return 64
    case "string":
      return Math.min(value.length, maxLength) * 3 + 8
    default:
      return unbounded
  }
}

const cut = (text: string, maxLength: number): string =>
  text.length > maxLength ? text.slice(0, maxLength) : text

const content = (sink: Sink, value: unknown, maxLength: number, depth: number): void => {
  switch (typeof value) {
    case "bigint":
      return BigInt.asIntN(64, value) === value
        ? sink.int64(3, "intValue", value)
        : sink.text(1, "stringValue", cut(String(value), maxLength))
    case "boolean":
      return sink.bool(2, "boolValue", value)
    case "number":
      return Number.isSafeInteger(value)
        ? sink.int64(3, "intValue", value)
        : sink.double(4, "doubleValue", value)
    case "object":
      if (value === null) return
      if (depth < maxDepth && Array.isArray(value)) return list(sink, value, maxLength, depth + 1)
      if (depth < maxDepth && isPlain(value)) return object(sink, value, maxLength, depth + 1)
      break
    case "string":
      return sink.text(1, "stringValue", cut(value, maxLength))
    case "undefined":
      return
    default:
      break
  }
  // Effect's format shows a `Redacted` as such, at any depth.
  sink.text(1, "stringValue", cut(format(value), maxLength))
}

/** Returns whether a value is an object of names and values, and no instance of a class. */
const isPlain = (value: object): value is Readonly<Record<string, unknown>> => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

const list = (
  sink: Sink,
  values: ReadonlyArray<unknown>,
  maxLength: number,
  depth: number
): void => {
  const mark = sink.open(5, "arrayValue", unbounded)
  sink.openList("values")
  for (const value of values.slice(0, maxMembers)) {
    const item = sink.item(1, boundOf(value, maxLength))
    content(sink, value, maxLength, depth)
    sink.close(item)
  }
  sink.closeList()
  sink.close(mark)
}

const object = (
  sink: Sink,
  members: Readonly<Record<string, unknown>>,
  maxLength: number,
  depth: number
): void => {
  const mark = sink.open(6, "kvlistValue", unbounded)
  sink.openList("values")
  for (const key of Object.keys(members).slice(0, maxMembers)) {
    keyValue(sink, 1, key, members[key], maxLength, depth)
  }
  sink.closeList()
  sink.close(mark)
}
