/** One function for equal parts of schemas: those of the same structure that run the same code. */
import type { Direct } from "./Outcome.ts"

/** The functions of the parts of all schemas, by what they do. */
const functions = new Map<string, Direct>()

const identities = new WeakMap<object, number>()

let identified = 0

/** Returns a number that is the object's own; 0 for none. */
export const identity = (object: object | undefined): number => {
  if (object === undefined) return 0
  let found = identities.get(object)
  if (found === undefined) identities.set(object, (found = ++identified))
  return found
}

/** Returns the function for a key, which has to name everything that the function depends on. */
export const share = (key: string, make: () => Direct): Direct => {
  let found = functions.get(key)
  if (found === undefined) functions.set(key, (found = make()))
  return found
}
