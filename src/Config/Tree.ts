/** Trees of configuration values: paths in them, merging them, copying them without harmful keys. */

/** A configuration tree: an object without a prototype, so that no key can reach `Object.prototype`. */
export interface Tree {
  readonly [key: string]: unknown
}

/** The place of a value: section first, then field names, then list indexes as strings. */
export type KeyPath = ReadonlyArray<string>

/** Where values come from: a file, an overlay, a variable, the defaults of a plugin, overrides. */
export interface Source {
  /** Whether its values were text, which the schema of their key has turned into values. */
  readonly isText?: boolean | undefined
  /** Its name in reports, such as `flange.toml` or `variable PORT`. */
  readonly label: string
  /** The dotted keys that it removes from the sources below. */
  readonly removed?: ReadonlyArray<string> | undefined
  readonly values: Tree
}

/** Keys that would reach a prototype when another library copies the value carelessly. */
export const forbiddenKeys: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"])

/** Checks for an object literal, a parsed table or a `Tree`. Lists and class instances are not plain. */
export const isPlain = (value: unknown): value is Tree => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** Returns the value at `path`, or `undefined`. Only own keys are followed. */
export const getPath = (value: unknown, path: KeyPath): unknown => {
  let current = value
  for (const key of path) {
    if (typeof current !== "object" || current === null || !Object.hasOwn(current, key)) {
      return undefined
    }
    current = Reflect.get(current, key)
  }
  return current
}

/** Creates a tree that holds only `value` at `path`. */
export const singleton = (path: KeyPath, value: unknown): Tree => {
  let current = value
  for (const key of path.toReversed()) current = tree([[key, current]])
  return isPlain(current) ? current : tree([])
}

/** Creates a tree of the given pairs. */
export const tree = (pairs: Iterable<readonly [string, unknown]>): Tree => {
  const output: Record<string, unknown> = Object.create(null)
  for (const [key, value] of pairs) output[key] = value
  return output
}

/**
 * Merges two trees. Objects merge key by key; any other value of `over` replaces that of `base`.
 */
const merge = (base: Tree, over: Tree): Tree => {
  const pairs = new Map<string, unknown>(Object.entries(base))
  for (const [key, value] of Object.entries(over)) {
    const below = pairs.get(key)
    pairs.set(key, isPlain(below) && isPlain(value) ? merge(below, value) : value)
  }
  return tree(pairs)
}

/**
 * Merges trees from the lowest precedence to the highest. Objects merge key by key; any other value
 * replaces the one below it.
 */
export const mergeAll = (trees: Iterable<Tree>): Tree => {
  let output = tree([])
  for (const next of trees) output = merge(output, next)
  return output
}

/** The result of {@link sanitize}: the copy, and the keys that were refused. */
export interface Sanitized {
  readonly refused: ReadonlyArray<{ readonly key: string; readonly reason: "cycle" | "prototype" }>
  readonly value: unknown
}

/**
 * Copies plain objects and lists into trees. Prototype keys and cycles are left out and reported,
 * `undefined` counts as absent, and dates become the ISO strings that schemas decode.
 */
export const sanitize = (input: unknown): Sanitized => {
  const refused: Array<Sanitized["refused"][number]> = []
  const visit = (value: unknown, path: KeyPath, ancestors: ReadonlyArray<unknown>): unknown => {
    if (ancestors.includes(value)) {
      refused.push({ key: path.join("."), reason: "cycle" })
      return undefined
    }
    if (value instanceof Date) {
      return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString()
    }
    if (Array.isArray(value)) {
      const inner = [...ancestors, value]
      return value.map((item, index) => visit(item, [...path, String(index)], inner))
    }
    if (!isPlain(value)) return value
    const pairs: Array<readonly [string, unknown]> = []
    for (const key of Object.keys(value)) {
      if (forbiddenKeys.has(key)) {
        refused.push({ key: [...path, key].join("."), reason: "prototype" })
        continue
      }
      const child = visit(value[key], [...path, key], [...ancestors, value])
      if (child !== undefined) pairs.push([key, child])
    }
    return tree(pairs)
  }
  return { refused, value: visit(input, [], []) }
}

/**
 * Returns the paths of the numbers that may have had other digits in a text: integers above
 * 2^53 - 1, and infinity, if the text does not have it as a word.
 */
export const inexactNumbers = (
  value: unknown,
  hasInfinity: boolean,
  path: KeyPath = []
): ReadonlyArray<KeyPath> => {
  if (typeof value === "number") {
    const isExact = Number.isFinite(value)
      ? Number.isSafeInteger(value) || !Number.isInteger(value)
      : hasInfinity || Number.isNaN(value)
    return isExact ? [] : [path]
  }
  if (!isPlain(value) && !Array.isArray(value)) return []
  return Object.entries(value).flatMap(([key, inner]) =>
    inexactNumbers(inner, hasInfinity, [...path, key])
  )
}
