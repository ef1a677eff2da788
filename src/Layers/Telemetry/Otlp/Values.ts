/** The values of attributes. */
import { format } from "effect/Formatter"
import { type Data, Reader } from "../../../Server/Exchange/PlainData.ts"
import { type Sink, unbounded } from "./Sink.ts"

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
    keyValue(sink, field, String(entries[i]), entries[i + 1], maxLength, content)
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
  content(sink, value, maxLength)
  sink.close(mark)
}

const keyValue = <Value>(
  sink: Sink,
  field: number,
  key: string,
  value: Value,
  maxLength: number,
  write: (sink: Sink, value: Value, maxLength: number) => void
): void => {
  const bound = boundOf(value, maxLength)
  const pair = sink.item(field, bound + key.length * 3 + 10)
  sink.text(1, "key", key)
  const mark = sink.open(2, "value", bound)
  write(sink, value, maxLength)
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

const content = (sink: Sink, value: unknown, maxLength: number): void => {
  switch (typeof value) {
    case "bigint":
      return BigInt.asIntN(64, value) === value
        ? sink.int64(3, "intValue", value)
        : sink.text(1, "stringValue", cut(String(value), maxLength))
    case "boolean":
    case "number":
    case "string":
    case "undefined":
      return data(sink, value, maxLength)
    case "object":
      // It may have cycles, getters that throw, and members without end.
      return data(sink, new Reader().value(value), maxLength)
    default:
      return sink.text(1, "stringValue", cut(format(value), maxLength))
  }
}

type Content = Data | undefined

const data = (sink: Sink, value: Content, maxLength: number): void => {
  switch (typeof value) {
    case "boolean":
      return sink.bool(2, "boolValue", value)
    case "number":
      return Number.isSafeInteger(value)
        ? sink.int64(3, "intValue", value)
        : sink.double(4, "doubleValue", value)
    case "string":
      return sink.text(1, "stringValue", cut(value, maxLength))
    case "undefined":
      return
    default:
      if (value === null) return
      if (isList(value)) list(sink, value, maxLength)
      else object(sink, value, maxLength)
  }
}

const isList = (value: Data): value is ReadonlyArray<Data> => Array.isArray(value)

const list = (sink: Sink, values: ReadonlyArray<Data>, maxLength: number): void => {
  const mark = sink.open(5, "arrayValue", unbounded)
  sink.openList("values")
  for (const value of values) {
    const item = sink.item(1, boundOf(value, maxLength))
    data(sink, value, maxLength)
    sink.close(item)
  }
  sink.closeList()
  sink.close(mark)
}

const object = (
  sink: Sink,
  members: { readonly [name: string]: Data },
  maxLength: number
): void => {
  const mark = sink.open(6, "kvlistValue", unbounded)
  sink.openList("values")
  for (const [key, value] of Object.entries(members)) {
    keyValue(sink, 1, key, value, maxLength, data)
  }
  sink.closeList()
  sink.close(mark)
}
