/** Strict reading of text and JSON bodies. */
import type { MalformedRequest } from "../../Contract/Catalogue.ts"
import * as Problem from "../Exchange/Problem.ts"

const utf8 = new TextDecoder("utf-8", { fatal: true })

/** Returns the text of a body. Throws the error to answer if the body is not valid UTF-8. */
export const text = (bytes: Uint8Array, decoder = utf8): string => {
  try {
    return decoder.decode(bytes)
  } catch {
    throw Problem.malformedBody("Not valid UTF-8")
  }
}

/** Returns the value of a JSON text. Throws the error to answer if the text is not JSON. */
export const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw Problem.notJson(error)
  }
}

/**
 * The text of a body, or why it is refused: invalid UTF-8, which a lenient
 * decoder would patch over, and the key `__proto__`, which a careless merge in a
 * handler would turn into a prototype.
 */
export const decode = (bytes: ArrayBuffer | Uint8Array): MalformedRequest | string => {
  let text: string
  try {
    text = utf8.decode(bytes)
  } catch {
    return Problem.malformedBody("Not valid UTF-8")
  }
  const pointer = prototypeKey(text)
  return pointer === undefined
    ? text
    : Problem.malformedBody('The key "__proto__" is not allowed', pointer)
}

/**
 * Returns the pointer of a key `__proto__` in a JSON text; undefined if there is none or the
 * text is not JSON.
 */
const prototypeKey = (text: string): string | undefined => {
  if (!text.includes("__proto__") && !text.includes("\\u")) return undefined
  let root: unknown
  try {
    root = JSON.parse(text)
  } catch {
    return undefined
  }
  // Not recursive: JSON may be nested deeper than the call stack goes.
  const left: Array<readonly [value: unknown, pointer: string]> = [[root, ""]]
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const [value, pointer] = next
    if (typeof value !== "object" || value === null) continue
    for (const [key, member] of Object.entries(value)) {
      const here = pointer + Problem.pointerSegment(key)
      if (key === "__proto__") return here
      left.push([member, here])
    }
  }
  return undefined
}
