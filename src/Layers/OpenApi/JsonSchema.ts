/** Tidies the schemas of a document. */
import { openObject } from "./WireSchema.ts"

type Json = Record<string, unknown>

/** Keywords whose members have names of the contract. */
const maps: ReadonlySet<string> = new Set([
  "$defs",
  "content",
  "headers",
  "patternProperties",
  "paths",
  "properties",
  "responses",
  "schemas",
  "securitySchemes"
])

/** Keywords whose value is data of the contract. */
const data: ReadonlySet<string> = new Set(["const", "default", "enum", "example", "examples"])

/** Keywords that mean the same in an object as in its `allOf`. */
const movable: ReadonlySet<string> = new Set([
  "default",
  "description",
  "examples",
  "exclusiveMaximum",
  "exclusiveMinimum",
  "format",
  "maxItems",
  "maxLength",
  "maxProperties",
  "maximum",
  "minItems",
  "minLength",
  "minProperties",
  "minimum",
  "multipleOf",
  "pattern",
  "readOnly",
  "title",
  "uniqueItems",
  "writeOnly"
])

/**
 * Returns a document whose objects are as closed as the server is, and whose rules stand
 * beside each other if they need not stand in `allOf`.
 */
export const clean = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(clean)
  if (typeof value !== "object" || value === null) return value
  return merged(
    opened(
      Object.fromEntries(
        Object.entries(value).map(([key, child]) => [
          key,
          data.has(key) ? child : maps.has(key) && isJson(child) ? each(child) : clean(child)
        ])
      )
    )
  )
}

const isJson = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const each = (map: Json): Json =>
  Object.fromEntries(Object.entries(map).map(([name, child]) => [name, clean(child)]))

const opened = (schema: Json): Json => {
  const { [openObject]: kind, ...rest } = schema
  if (kind !== undefined && rest["additionalProperties"] === false) {
    delete rest["additionalProperties"]
  }
  // A member whose name a record does not take is ignored like an unknown one.
  if (kind === "record") delete rest["propertyNames"]
  return rest
}

const merged = (schema: Json): Json => {
  const { allOf, ...rest } = schema
  if (!Array.isArray(allOf) || "$ref" in rest) return schema
  const others: Array<unknown> = []
  for (const member of allOf as ReadonlyArray<unknown>) {
    const fits =
      isJson(member) && Object.keys(member).every((key) => movable.has(key) && !(key in rest))
    if (fits) Object.assign(rest, member)
    else others.push(member)
  }
  return others.length === 0 ? rest : { ...rest, allOf: others }
}
