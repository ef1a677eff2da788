/** How deep the levels of a JSON text are nested. */

const backslash = 0x5c
const closingBrace = 0x7d
const closingBracket = 0x5d
const colon = 0x3a
const comma = 0x2c
const openingBrace = 0x7b
const openingBracket = 0x5b
const quote = 0x22
const space = 0x20

/** The member names and indices that lead to a value. */
export type Path = ReadonlyArray<number | string>

/**
 * Returns the path of the first array or object that is nested in `limit` others; undefined
 * if there is none. `JSON.parse` has no limit of its own, and spends a hundred times as
 * much on a byte that opens a level as on another. For text that is not JSON the result has
 * no meaning.
 */
export const tooDeep = (json: Uint8Array, limit: number): Path | undefined => {
  // Each level has two bytes.
  if (json.length <= 2 * limit) return undefined
  let depth = 0
  for (let i = 0; i < json.length; i++) {
    switch (json[i]) {
      case closingBrace:
      case closingBracket:
        depth--
        break
      case openingBrace:
      case openingBracket:
        if (++depth > limit) return pathTo(json, i)
        break
      case quote:
        i = endOfString(json, i)
    }
  }
  return undefined
}

/** Returns the path of the array or object that starts at `end`. */
const pathTo = (json: Uint8Array, end: number): Path => {
  const path: Array<number | string> = []
  for (let i = 0; i < end; i++) {
    const last = path.length - 1
    switch (json[i]) {
      case closingBrace:
      case closingBracket:
        path.pop()
        break
      case comma:
        if (typeof path[last] === "number") path[last]++
        break
      case openingBrace:
        path.push("")
        break
      case openingBracket:
        path.push(0)
        break
      case quote: {
        const start = i
        i = endOfString(json, start)
        if (isFollowedBy(json, i, colon)) path[last] = nameIn(json.subarray(start, i + 1))
      }
    }
  }
  return path
}

/** Returns the index of the quote that ends the string which starts at `start`. */
const endOfString = (json: Uint8Array, start: number): number => {
  let i = start + 1
  while (i < json.length && json[i] !== quote) i += json[i] === backslash ? 2 : 1
  return i
}

const isFollowedBy = (json: Uint8Array, at: number, byte: number): boolean => {
  let i = at + 1
  while (i < json.length && json[i]! <= space) i++
  return json[i] === byte
}

const nameIn = (json: Uint8Array): string => {
  const text = new TextDecoder().decode(json)
  try {
    return String(JSON.parse(text))
  } catch {
    return text
  }
}
