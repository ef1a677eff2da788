/** Direct functions of schemas with parts: structs, records, lists, tuples and unions. */
import * as DirectResult from "./DirectResult.ts"
import { absent, type Direct, leave, refused } from "./DirectResult.ts"
import { identity, share } from "./Sharing.ts"

/** A key of a struct. */
export interface Property {
  readonly decode: Direct
  /** Whether `decode` may make a value of a missing key. */
  readonly hasDefault: boolean
  readonly isOptional: boolean
  readonly name: string
}

/** Returns the function of a struct. */
export const struct = (properties: ReadonlyArray<Property>): Direct => {
  const key = properties.map(({ decode, hasDefault, isOptional, name }) => [
    name,
    identity(decode),
    hasDefault,
    isOptional
  ])
  return share(`struct(${JSON.stringify(key)})`, () => (input) => {
    if (!isRecord(input)) return refused
    const output: Record<string, unknown> = {}
    for (let i = 0; i < properties.length; i++) {
      const { decode, hasDefault, isOptional, name } = properties[i]!
      let value = input[name]
      if (value !== undefined || name in input) value = decode(value)
      else if (hasDefault) value = decode(absent)
      else if (isOptional) continue
      else return refused
      if (value === refused) return refused
      if (value !== absent) output[name] = value
      else if (!isOptional) return refused
    }
    return output
  })
}

/** Returns the function of a record of any keys. */
export const record = (item: Direct): Direct =>
  share(`record(${identity(item)})`, () => (input) => {
    if (!isRecord(input)) return refused
    const output: Record<string, unknown> = {}
    for (const name of Object.keys(input)) {
      // An assignment to `__proto__` adds no key.
      if (name === "__proto__") return leave()
      const value = item(input[name])
      if (value === refused) return refused
      if (value !== absent) output[name] = value
    }
    return output
  })

/** Returns the function of a list. */
export const list = (item: Direct): Direct =>
  share(`list(${identity(item)})`, () => (input) => {
    if (!Array.isArray(input)) return refused
    const length = input.length
    const output: Array<unknown> = []
    for (let i = 0; i < length; i++) {
      const value = item(input[i])
      if (value === refused) return refused
      if (value === absent) return leave()
      output.push(value)
    }
    return output
  })

/** Returns the function of a tuple whose elements are all required. */
export const tuple = (items: ReadonlyArray<Direct>): Direct =>
  share(`tuple(${items.map(identity).join()})`, () => (input) => {
    if (!Array.isArray(input) || input.length !== items.length) return refused
    const output: Array<unknown> = []
    for (let i = 0; i < items.length; i++) {
      const value = items[i]!(input[i])
      if (value === refused) return refused
      if (value === absent) return leave()
      output.push(value)
    }
    return output
  })

/** Returns the function of a union. */
export const union = (members: ReadonlyArray<Direct>): Direct =>
  share(`union(${members.map(identity).join()})`, () => (input) => {
    for (let i = 0; i < members.length; i++) {
      const value = members[i]!(input)
      // If a member is undecided, the next one must not decode the value.
      if (value !== refused || DirectResult.isUndecided) return value
    }
    return refused
  })

const isRecord = (input: unknown): input is Readonly<Record<string, unknown>> =>
  typeof input === "object" && input !== null && !Array.isArray(input)
