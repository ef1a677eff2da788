/** The schemas of a document in one form: without references, `allOf` and lists of types. */

/** A JSON object of a document. */
export interface Json {
  readonly [key: string]: unknown
}

/** Returns a value as an object; an empty one if it is none. */
export const objectOf = (value: unknown): Json =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {}

/** Returns a value as a list; an empty one if it is none. */
export const listOf = (value: unknown): ReadonlyArray<unknown> =>
  Array.isArray(value) ? value : []

/** Returns the text of a value that does not depend on the order of keys. */
export const textOf = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part
  ) ?? "nothing"

/** Returns the object that a `$ref` of the document leads to, or the object itself. */
export const resolved = (document: Json, value: unknown): Json => {
  const seen = new Set<unknown>()
  let object = objectOf(value)
  for (let ref = object["$ref"]; typeof ref === "string" && !seen.has(ref); ref = object["$ref"]) {
    seen.add(ref)
    const target = ref
      .split("/")
      .slice(1)
      .reduce<unknown>((node, key) => objectOf(node)[unescaped(key)], document)
    const { $ref: _, ...beside } = object
    object = Object.keys(beside).length === 0 ? objectOf(target) : merged(objectOf(target), beside)
  }
  return object
}

const unescaped = (key: string): string =>
  decodeURIComponent(key).replaceAll("~1", "/").replaceAll("~0", "~")

const numbers = (choose: (a: number, b: number) => number) => (a: unknown, b: unknown) =>
  choose(Number(a), Number(b))

const lowest = numbers(Math.min)

const highest = numbers(Math.max)

/** How a keyword of two schemas that a value must both fit is put together. */
const together: Readonly<Record<string, (a: unknown, b: unknown) => unknown>> = {
  enum: (a, b) => {
    const texts = new Set(listOf(b).map(textOf))
    return listOf(a).filter((value) => texts.has(textOf(value)))
  },
  exclusiveMaximum: lowest,
  exclusiveMinimum: highest,
  maxItems: lowest,
  maxLength: lowest,
  maxProperties: lowest,
  maximum: lowest,
  minItems: highest,
  minLength: highest,
  minProperties: highest,
  minimum: highest,
  pattern: (a, b) => [...new Set([a, b].flat())].sort(),
  properties: (a, b) => merged(objectOf(a), objectOf(b), (one, other) => ({ allOf: [one, other] })),
  required: (a, b) => [...new Set([...listOf(a), ...listOf(b)])]
}

const merged = (a: Json, b: Json, join?: (a: unknown, b: unknown) => unknown): Json => {
  const result: Record<string, unknown> = { ...a }
  for (const [key, value] of Object.entries(b)) {
    const combine = join ?? together[key]
    result[key] =
      combine === undefined || !(key in a) || textOf(a[key]) === textOf(value)
        ? value
        : combine(a[key], value)
  }
  return result
}

type Seen = ReadonlySet<unknown>

/** Returns the parts of a schema that are not the schema itself, as one in `anyOf` could be. */
const fresh = (parts: unknown, seen: Seen): ReadonlyArray<readonly [part: unknown, seen: Seen]> =>
  listOf(parts).flatMap((part) => {
    const ref = objectOf(part)["$ref"]
    if (ref === undefined) return [[part, seen] as const]
    return seen.has(ref) ? [] : [[part, new Set([...seen, ref])] as const]
  })

/** Returns a schema without `$ref` and `allOf` of its own. Boolean schemas become objects. */
const flat = (document: Json, schema: unknown, seen: Seen): Json => {
  if (schema === false) return { enum: [] }
  const { allOf, ...rest } = resolved(document, schema)
  return fresh(allOf, seen).reduce<Json>(
    (all, [part, inside]) => merged(all, flat(document, part, inside)),
    rest
  )
}

/** What a schema accepts: some values, and the values of some schemas that are no unions. */
export interface Variants {
  /** The values of `enum` and `const`, and null, by their texts. */
  readonly literals: ReadonlyMap<string, unknown>
  readonly schemas: ReadonlyArray<Json>
  /** What is said about the whole schema. */
  readonly words: Json
}

/** The keywords that say something about a schema and refuse no value. */
const isAnnotation = (keyword: string): boolean =>
  /^(?:\$comment|default|deprecated|description|examples?|readOnly|title|writeOnly|x-.*)$/.test(
    keyword
  )

/** Returns the members of an object by whether they refuse values. */
export const parted = (schema: Json): { readonly rules: Json; readonly words: Json } => {
  const of = (wanted: boolean) =>
    Object.fromEntries(
      Object.entries(schema).filter(([keyword]) => isAnnotation(keyword) === wanted)
    )
  return { rules: of(false), words: of(true) }
}

/** Returns the variants of a schema. */
export const variantsOf = (document: Json, schema: unknown, seen: Seen = new Set()): Variants => {
  const { anyOf, oneOf, ...whole } = flat(document, schema, seen)
  const { rules, words } = parted(whole)
  const members = anyOf ?? oneOf
  if (members !== undefined) {
    const parts = fresh(members, seen).map(([member, inside]) =>
      variantsOf(document, merged(rules, flat(document, member, inside)), inside)
    )
    return {
      literals: new Map(parts.flatMap(({ literals }) => [...literals])),
      schemas: different(
        // The words about a member are its own.
        parts.flatMap(({ schemas, words }) => schemas.map((one) => ({ ...words, ...one })))
      ),
      words
    }
  }
  const { const: only, enum: some, type, ...others } = rules
  const values = some === undefined ? (only === undefined ? undefined : [only]) : listOf(some)
  if (values !== undefined) return { literals: literalsOf(values), schemas: [], words }
  const types = [type ?? inferred(others)].flat()
  return {
    literals: literalsOf(types.includes("null") ? [null] : []),
    schemas: types.filter((one) => one !== "null").map((one) => ({ ...others, type: one })),
    words
  }
}

const different = (schemas: ReadonlyArray<Json>): ReadonlyArray<Json> => [
  ...new Map(schemas.map((schema) => [textOf(schema), schema])).values()
]

const literalsOf = (values: ReadonlyArray<unknown>): ReadonlyMap<string, unknown> =>
  new Map(values.map((value) => [textOf(value), value]))

/** Returns the type of a schema that does not state it. */
const inferred = (rules: Json): string => {
  if ("properties" in rules || "required" in rules || "additionalProperties" in rules) {
    return "object"
  }
  return "items" in rules || "prefixItems" in rules ? "array" : "any"
}
