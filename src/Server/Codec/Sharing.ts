/**
 * Shares one function among equal parts of schemas: parts of the same structure that run the
 * same code.
 */
import type { Direct } from "./DirectResult.ts"

/** The functions of all schemas by key. */
const functions = new Map<string, Direct>()

const identities = new WeakMap<object, number>()

let identified = 0

/** Returns a number for an object, always the same one; 0 for `undefined`. */
export const identity = (object: object | undefined): number => {
  if (object === undefined) return 0
  let found = identities.get(object)
  if (found === undefined) identities.set(object, (found = ++identified))
  return found
}

/** Returns the function of a key. The key must name everything that the function depends on. */
export const share = (key: string, make: () => Direct): Direct => {
  let found = functions.get(key)
  if (found === undefined) functions.set(key, (found = make()))
  return found
}
