/** Reads JSON strictly, and finds where a text stops being JSON, without quoting it. */

/** Where a JSON text stops being JSON, and what was expected there. */
export interface JsonPosition {
  readonly column: number
  readonly line: number
  readonly reason: string
}

class Stop extends Error {
  readonly index: number
  constructor(index: number, reason: string) {
    super(reason)
    this.index = index
  }
}

// oxlint-disable-next-line no-control-regex -- JSON forbids exactly these inside a string
const stringPattern = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const wordPattern = /true|false|null/y

const scan = (text: string): void => {
  let index = 0
  const fail = (reason: string): never => {
    throw new Stop(index, index >= text.length ? `${reason}, found the end of the file` : reason)
  }
  const space = (): void => {
    while (index < text.length && " \t\r\n".includes(text.charAt(index))) index++
  }
  const take = (pattern: RegExp): boolean => {
    pattern.lastIndex = index
    const match = pattern.exec(text)
    if (match === null) return false
    index += match[0].length
    return true
  }
  const sequence = (close: string, item: () => void): void => {
    index++
    space()
    if (text[index] === close) {
      index++
      return
    }
    while (true) {
      item()
      space()
      if (text[index] === close) {
        index++
        return
      }
      if (text[index] !== ",") fail(`expected "," or "${close}"`)
      index++
      space()
    }
  }
  const property = (keys: Set<string>): void => {
    const start = index
    if (!take(stringPattern)) fail("expected a key in double quotes")
    const key: string = JSON.parse(text.slice(start, index))
    if (keys.has(key)) {
      index = start
      fail("duplicate key")
    }
    keys.add(key)
    space()
    if (text[index] !== ":") fail(`expected ":"`)
    index++
    value()
  }
  const value = (): void => {
    space()
    if (text[index] === "{") {
      const keys = new Set<string>()
      return sequence("}", () => property(keys))
    }
    if (text[index] === "[") return sequence("]", value)
    if (!take(stringPattern) && !take(numberPattern) && !take(wordPattern)) {
      fail("expected a JSON value")
    }
  }
  value()
  space()
  if (index < text.length) fail("expected the end of the file")
}

/**
 * Finds the first error of a text that should be JSON, also a key that an object has twice. The
 * engine's own message is not used: it quotes the text around the error, which may be a secret, and
 * often has no position.
 */
const findError = (text: string): JsonPosition | undefined => {
  try {
    scan(text)
    return undefined
  } catch (error) {
    if (error instanceof Stop) {
      const lines = text.slice(0, error.index).split("\n")
      return {
        column: (lines.at(-1)?.length ?? 0) + 1,
        line: lines.length,
        reason: error.message
      }
    }
    // The scanner recurses once per level, as `JSON.parse` does, so this error is a stack overflow.
    return { column: 1, line: 1, reason: "nested too deeply" }
  }
}

/** Returns the value of a JSON text, or its first error. A key may be in an object once only. */
export const parseJson = (text: string): JsonPosition | { readonly value: unknown } =>
  findError(text) ?? { value: JSON.parse(text) }
