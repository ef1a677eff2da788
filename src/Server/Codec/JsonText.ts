/** Strict reading of text and JSON bodies. */
import type { Issue } from "../../Contract/Catalogue.ts"
import * as Issues from "../Exchange/Issues.ts"
import * as JsonDepth from "./JsonDepth.ts"

const utf8 = new TextDecoder("utf-8", { fatal: true })

/** Returns the text of a body. Throws the error to answer if the body is not valid UTF-8. */
export const text = (bytes: Uint8Array, decoder = utf8): string => {
  try {
    return decoder.decode(bytes)
  } catch {
    throw Issues.malformedBody("Not valid UTF-8")
  }
}

/**
 * Returns the value of a JSON body; `undefined` for no bytes. Throws the error to answer if
 * the body is not valid UTF-8, is not JSON, is nested in more than `maxDepth` levels, or has
 * a key `__proto__`, which a careless merge in a handler would turn into a prototype.
 */
export const parse = (bytes: Uint8Array, maxDepth: number): unknown => {
  const deep = JsonDepth.tooDeep(bytes, maxDepth)
  if (deep !== undefined) {
    throw Issues.malformedBody(
      `Nested in more than ${maxDepth} levels`,
      deep.map(Issues.pointerSegment).join("")
    )
  }
  const json = text(bytes)
  if (json === "") return undefined
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (error) {
    throw Issues.notJson(error)
  }
  // An escape can spell any letter of the key.
  if (json.includes(prototype) || json.includes("\\u")) {
    const pointer = prototypeKey(value)
    if (pointer !== undefined) throw forbidden("body", pointer)
  }
  return value
}

/** Refuses a record of a request that has a key `__proto__`, as `parse` does. */
export const refusePrototype = (location: Issue["location"], record: object): void => {
  if (Object.hasOwn(record, prototype)) {
    throw forbidden(location, Issues.pointerSegment(prototype))
  }
}

const prototype = "__proto__"

const forbidden = (location: Issue["location"], pointer: string) =>
  Issues.malformed(location, `The key "${prototype}" is not allowed`, pointer)

/**
 * Returns the pointer of a key `__proto__` in a value of JSON; undefined if there is none.
 * The value is not nested deeper than `parse` allows.
 */
const prototypeKey = (value: unknown): string | undefined => {
  if (typeof value !== "object" || value === null) return undefined
  const isArray = Array.isArray(value)
  // The keys of a large array would be as many strings.
  for (const key of isArray ? value.keys() : Object.keys(value)) {
    if (key === prototype) return Issues.pointerSegment(key)
    const inside = prototypeKey((value as Readonly<Record<number | string, unknown>>)[key])
    if (inside !== undefined) return Issues.pointerSegment(key) + inside
  }
  return undefined
}
