/** Where a JSON value differs from the expected one, and texts that are short enough to read. */
import { isDeepStrictEqual } from "node:util"
import { format } from "effect/Formatter"

/** A place at which two values differ. */
export interface Difference {
  readonly expected: string
  /** The place as a JSON pointer (RFC 6901); empty for the whole value. */
  readonly pointer: string
  readonly received: string
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const isPlain: typeof isRecord = (value): value is Readonly<Record<string, unknown>> =>
  isRecord(value) && Object.getPrototypeOf(value) === Object.prototype

const segment = (key: number | string) =>
  `/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`

const nothing = "nothing"

/**
 * Returns where a value differs from the expected one, from its start on. If `isPartial`, objects of
 * the value may have more keys. A list of another length is one difference, besides those of its
 * elements.
 */
export function* differences(
  actual: unknown,
  expected: unknown,
  isPartial: boolean,
  pointer = ""
): Generator<Difference> {
  if (Array.isArray(actual) && Array.isArray(expected)) {
    const [received, wanted] = [actual.length, expected.length]
    if (received !== wanted) {
      yield { expected: elements(wanted), pointer, received: elements(received) }
    }
    for (let i = 0; i < Math.min(received, wanted); i++) {
      yield* differences(actual[i], expected[i], isPartial, pointer + segment(i))
    }
    return
  }
  const hasMembers = isPartial ? isRecord : isPlain
  if (hasMembers(actual) && hasMembers(expected)) {
    for (const key of Object.keys(expected)) {
      const at = pointer + segment(key)
      if (!Object.hasOwn(actual, key) && !(isPartial && expected[key] === undefined)) {
        yield { expected: show(expected[key]), pointer: at, received: nothing }
      } else yield* differences(actual[key], expected[key], isPartial, at)
    }
    if (isPartial) return
    for (const key of Object.keys(actual).filter((name) => !Object.hasOwn(expected, name))) {
      yield { expected: nothing, pointer: pointer + segment(key), received: show(actual[key]) }
    }
    return
  }
  if (!isDeepStrictEqual(actual, expected)) {
    yield { expected: show(expected), pointer, received: show(actual) }
  }
}

const elements = (count: number) => (count === 1 ? "1 element" : `${count} elements`)

/** Returns a text with at most so many characters, followed by how many are left out. */
export const excerpt = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most)}... (${text.length - most} more characters)`

/** Returns a value as a short text. */
export const show = (value: unknown): string =>
  typeof value === "number" || value instanceof RegExp ? String(value) : excerpt(format(value), 200)

/** How many differences a message lists. */
const listed = 10

/** Returns the first differences as lines. */
export const lines = (found: Iterable<Difference>): ReadonlyArray<string> => {
  const shown: Array<string> = []
  for (const { expected, pointer, received } of found) {
    if (shown.length === listed) return [...shown, "  and more"]
    const at = pointer === "" ? "" : `${excerpt(pointer, 200)}: `
    shown.push(`  ${at}expected ${expected}, received ${received}`)
  }
  return shown
}
