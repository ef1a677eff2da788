/** The differences between the rules of two schemas of one type: limits, patterns and words. */
import { kindOf, type Part, type Place, type Relation, subject } from "./Change.ts"
import { type Json, textOf } from "./Schemas.ts"

/** Returns what a breaking change of the values at a place does to clients. */
const consequence = (place: Place, relation: Relation): string => {
  if (kindOf(place, relation) === "compatible") return "."
  return place.side === "request"
    ? ": clients that send anything else get 400."
    : ": clients that check replies refuse the new values."
}

const plural = (one: string, many: string) => (value: unknown) => (value === 1 ? one : many)

const characters = plural("character", "characters")

const elements = plural("element", "elements")

const fields = plural("field", "fields")

/** The limits, in words, and whether a higher one accepts more values. */
const limits: Readonly<Record<string, readonly [(value: unknown) => string, "lower" | "upper"]>> = {
  exclusiveMaximum: [(value) => `values below ${value}`, "upper"],
  exclusiveMinimum: [(value) => `values above ${value}`, "lower"],
  maxItems: [(value) => `at most ${value} ${elements(value)}`, "upper"],
  maxLength: [(value) => `at most ${value} ${characters(value)}`, "upper"],
  maxProperties: [(value) => `at most ${value} ${fields(value)}`, "upper"],
  maximum: [(value) => `values up to ${value}`, "upper"],
  minItems: [(value) => `at least ${value} ${elements(value)}`, "lower"],
  minLength: [(value) => `at least ${value} ${characters(value)}`, "lower"],
  minProperties: [(value) => `at least ${value} ${fields(value)}`, "lower"],
  minimum: [(value) => `values from ${value}`, "lower"]
}

/** The other rules, in words. */
const others: Readonly<Record<string, (value: unknown) => string>> = {
  format: (value) => `the format ${String(value)}`,
  multipleOf: (value) => `multiples of ${String(value)}`,
  pattern: (value) => `texts that match ${[value].flat().join(" and ")}`,
  uniqueItems: () => "elements that differ from each other"
}

/** The keywords that are compared elsewhere. */
const elsewhere: ReadonlySet<string> = new Set([
  "additionalProperties",
  "items",
  "prefixItems",
  "properties",
  "required",
  "type"
])

/** Returns the relation of a rule that has another value. */
const relationOf = (keyword: string, old: unknown, now: unknown): Relation => {
  if (old === undefined) return "narrower"
  if (now === undefined) return "wider"
  const [, bound] = limits[keyword] ?? []
  if (bound !== undefined)
    return Number(now) > Number(old) === (bound === "upper") ? "wider" : "narrower"
  if (keyword !== "multipleOf") return "different"
  if (Number(now) % Number(old) === 0) return "narrower"
  return Number(old) % Number(now) === 0 ? "wider" : "different"
}

/** Returns the differences between the limits and the other rules of two schemas of one type. */
export const of = (before: Json, after: Json, place: Place): ReadonlyArray<Part> => {
  const [takes, took] = place.side === "request" ? ["takes", "took"] : ["has", "had"]
  const keywords = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
  return keywords.flatMap((keyword) => {
    // A list of elements that may repeat is one without the keyword.
    const [old, now] = [before[keyword] || undefined, after[keyword] || undefined]
    if (elsewhere.has(keyword) || textOf(old) === textOf(now)) return []
    const words =
      limits[keyword]?.[0] ??
      others[keyword] ??
      ((value: unknown) => `values that fit \`${keyword}\`: ${textOf(value)}`)
    const relation = relationOf(keyword, old, now)
    const change =
      old === undefined
        ? `${takes} only ${words(now)} now`
        : now === undefined
          ? `no longer ${takes} only ${words(old)}`
          : `${takes} ${words(now)} now, and ${took} ${words(old)}`
    return [
      {
        kind: kindOf(place, relation),
        text: `${subject(place)} ${change}${consequence(place, relation)}`
      }
    ]
  })
}

/** Returns a type with its article. */
export const typed = (type: unknown): string =>
  type === "any"
    ? "any value"
    : /^[aio]/.test(String(type))
      ? `an ${String(type)}`
      : `a ${String(type)}`

/** Returns the difference between two schemas of different types. */
export const type = (before: Json, after: Json, place: Place): Part => {
  const [old, now] = [before["type"], after["type"]]
  const relation: Relation =
    now === "any" || (old === "integer" && now === "number")
      ? "wider"
      : old === "any" || (old === "number" && now === "integer")
        ? "narrower"
        : "different"
  return {
    kind: kindOf(place, relation),
    text: `${subject(place)} is ${typed(now)} now, and was ${typed(old)}${consequence(place, relation)}`
  }
}

/** Returns the differences between what two schemas say and no value depends on. */
export const words = (
  { default: oldDefault, ...before }: Json,
  { default: nowDefault, ...after }: Json,
  place: Place
): ReadonlyArray<Part> => {
  const parts: Array<Part> = []
  const [old, now] = [textOf(oldDefault), textOf(nowDefault)]
  if (old !== now) {
    const isMeant = place.side === "request" && oldDefault !== undefined
    parts.push(
      isMeant
        ? {
            kind: "breaking",
            text: `without ${subject(place)} a request means ${now} now, and meant ${old}.`
          }
        : { kind: "documentation", text: `the default of ${subject(place)} is stated as ${now}.` }
    )
  }
  if (textOf(before) !== textOf(after)) {
    parts.push({ kind: "documentation", text: `${subject(place)} is described in other words.` })
  }
  return parts
}
