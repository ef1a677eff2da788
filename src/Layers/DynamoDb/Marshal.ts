/** Values in the form of DynamoDB's wire. */
import type { AttributeValue } from "@aws-sdk/client-dynamodb"
import type { Attributes, Value } from "./Backend.ts"

/** A value of the wire. */
export type Marshalled = AttributeValue

/** Returns a value in the form of the wire. */
export const value = (plain: Value): Marshalled => {
  switch (typeof plain) {
    case "boolean":
      return { BOOL: plain }
    case "number":
      return { N: String(plain) }
    case "string":
      return { S: plain }
    default:
      if (plain === null) return { NULL: true }
      return isList(plain) ? { L: plain.map(value) } : { M: attributes(plain) }
  }
}

const isList = (plain: Exclude<Value, null>): plain is ReadonlyArray<Value> => Array.isArray(plain)

/** Returns an item in the form of the wire. */
export const attributes = (plain: Attributes): Record<string, Marshalled> =>
  Object.fromEntries(Object.entries(plain).map(([name, each]) => [name, value(each)]))

/** Returns a number. One that JavaScript cannot hold stays text. */
const number = (text: string): number | string => {
  const parsed = Number(text)
  return Math.abs(parsed) > Number.MAX_SAFE_INTEGER ? text : parsed
}

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64")

/** Returns a value of the wire. Sets are lists, and binary values are text in base64. */
export const plain = (stored: Marshalled): Value => {
  if (stored.S !== undefined) return stored.S
  if (stored.N !== undefined) return number(stored.N)
  if (stored.BOOL !== undefined) return stored.BOOL
  if (stored.M !== undefined) return plainAttributes(stored.M)
  if (stored.L !== undefined) return stored.L.map(plain)
  if (stored.SS !== undefined) return stored.SS
  if (stored.NS !== undefined) return stored.NS.map(number)
  if (stored.B !== undefined) return base64(stored.B)
  if (stored.BS !== undefined) return stored.BS.map(base64)
  return null
}

/** Returns an item of the wire. */
export const plainAttributes = (stored: Readonly<Record<string, Marshalled>>): Attributes =>
  Object.fromEntries(Object.entries(stored).map(([name, each]) => [name, plain(each)]))
