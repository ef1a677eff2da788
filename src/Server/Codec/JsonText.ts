/** Strict reading of text and JSON bodies. */
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

/**
 * Returns the value of a JSON body; `undefined` for no bytes. Throws the error to answer if
 * the body is not valid UTF-8, is not JSON, or has a key `__proto__`, which a careless merge
 * in a handler would turn into a prototype.
 */
export const parse = (bytes: Uint8Array): unknown => {
  const json = text(bytes)
  if (json === "") return undefined
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (error) {
    throw Problem.notJson(error)
  }
  // An escape can spell any letter of the key.
  if (json.includes("__proto__") || json.includes("\\u")) {
    const pointer = prototypeKey(value)
    if (pointer !== undefined) {
      throw Problem.malformedBody('The key "__proto__" is not allowed', pointer)
    }
  }
  return value
}

/** Returns the pointer of a key `__proto__` in a value of JSON; undefined if there is none. */
const prototypeKey = (root: unknown): string | undefined => {
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
