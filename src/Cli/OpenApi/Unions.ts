/** The differences between the literals and the variants of two schemas. */
import { kindOf, type Part, type Place, subject } from "./Change.ts"
import { typed } from "./Rules.ts"
import { type Json, listOf, objectOf, textOf, type Variants, variantsOf } from "./Schemas.ts"

/** Whether the variants at a place are the errors of the contract. */
export const isError = ({ errorStatus, path }: Place): boolean =>
  errorStatus !== undefined && path === ""

/** Returns the differences between the values that two schemas list. */
export const literals = (before: Variants, after: Variants, place: Place): ReadonlyArray<Part> => {
  const [old, now] = [before.literals, after.literals]
  const shown = (texts: ReadonlyArray<string>) => texts.map((text) => `\`${text}\``).join(", ")
  const added = [...now.keys()].filter((text) => !old.has(text))
  const removed = [...old.keys()].filter((text) => !now.has(text))
  const isRequest = place.side === "request"
  return [
    ...(added.length === 0
      ? []
      : [
          {
            kind: kindOf(place, "wider"),
            text: isRequest
              ? `${subject(place)} takes ${shown(added)} too.`
              : `${subject(place)} may be ${shown(added)} now, which clients do not know.`
          }
        ]),
    ...(removed.length === 0
      ? []
      : [
          {
            kind: kindOf(place, "narrower"),
            text: isRequest
              ? `${subject(place)} no longer takes ${shown(removed)}: clients that send it get 400.`
              : `${subject(place)} is never ${shown(removed)} now.`
          }
        ])
  ]
}

/** Returns the difference between listed values and values of a type. */
export const opened = (before: Variants, after: Variants, place: Place): ReadonlyArray<Part> => {
  const isOpened = after.schemas.length > 0
  const list = [...(isOpened ? before : after).literals.keys()].map((text) => `\`${text}\``)
  const types = (isOpened ? after : before).schemas.map(({ type }) => typed(type)).join(" or ")
  const one = list.length === 0 ? "nothing" : `one of ${list.join(", ")}`
  const kind = kindOf(place, isOpened ? "wider" : "narrower")
  const end =
    kind === "compatible"
      ? "."
      : place.side === "request"
        ? ": clients that send anything else get 400."
        : ": clients do not know the other values."
  const [now, old] = isOpened ? [types, one] : [one, types]
  return [{ kind, text: `${subject(place)} is ${now} now, and was ${old}${end}` }]
}

/** Returns the change that a union has a new variant. */
export const added = (label: string, place: Place): Part => ({
  kind: kindOf(place, "wider"),
  text: isError(place)
    ? `may fail with ${label} (${place.errorStatus}) now: clients that know the errors by their codes do not know it.`
    : place.side === "request"
      ? `${subject(place)} may be ${label} too.`
      : `${subject(place)} may be ${label} now, which clients do not know.`
})

/** Returns the change that a union has lost a variant. */
export const removed = (label: string, place: Place): Part => ({
  kind: kindOf(place, "narrower"),
  text: isError(place)
    ? `no longer fails with ${label} (${place.errorStatus}).`
    : place.side === "request"
      ? `${subject(place)} may no longer be ${label}: clients that send it get 400.`
      : `${subject(place)} is never ${label} now.`
})

/** The variants of a union, with the document that they are in. */
type Side = readonly [document: Json, variants: Variants]

/** The variants of two unions. */
interface Matched {
  readonly added: ReadonlyArray<string>
  readonly pairs: ReadonlyArray<readonly [before: Json, after: Json]>
  readonly removed: ReadonlyArray<string>
}

/**
 * Matches the variants of two unions: objects by the field that tells them apart, and others by their
 * types and by how little they differ.
 */
export const matched = (
  before: Side,
  after: Side,
  place: Place,
  differences: (before: Json, after: Json) => ReadonlyArray<unknown>
): Matched => {
  const tag = discriminator(before, after)
  const label = ([document]: Side, schema: Json): string => {
    if (tag !== undefined && schema["type"] === "object") {
      const value = literalOf(document, schema, tag)
      return isError(place) ? String(value) : `the variant with ${tag} ${textOf(value)}`
    }
    const title = schema["title"] ?? schema["description"]
    const name = typeof title === "string" ? ` (${title})` : ""
    return isError(place) && name !== "" ? String(title) : `${typed(schema["type"])}${name}`
  }
  const left = [...after[1].schemas]
  const pairs: Array<readonly [Json, Json]> = []
  const alone: Array<Json> = []
  for (const old of before[1].schemas) {
    const candidates = left.filter(
      (now) =>
        now["type"] === old["type"] &&
        (tag === undefined || old["type"] !== "object" || label(before, old) === label(after, now))
    )
    const [nearest] =
      candidates.length < 2
        ? candidates
        : candidates
            .map((now) => [now, differences(old, now).length] as const)
            .sort(([, a], [, b]) => a - b)
            .map(([now]) => now)
    if (nearest === undefined) alone.push(old)
    else {
      pairs.push([old, nearest])
      left.splice(left.indexOf(nearest), 1)
    }
  }
  const [old] = alone
  const [now] = left
  const isChanged = tag === undefined && alone.length === 1 && left.length === 1
  if (isChanged && old !== undefined && now !== undefined) {
    return { added: [], pairs: [...pairs, [old, now]], removed: [] }
  }
  return {
    added: left.map((schema) => label(after, schema)),
    pairs,
    removed: alone.map((schema) => label(before, schema))
  }
}

/** Returns the only value of a required field of an object; undefined if it may have others. */
export const literalOf = (document: Json, schema: Json, name: string): unknown => {
  if (!listOf(schema["required"]).includes(name)) return undefined
  const { literals, schemas } = variantsOf(document, objectOf(schema["properties"])[name])
  return schemas.length === 0 && literals.size === 1 ? [...literals.values()][0] : undefined
}

/** The fields that usually tell objects apart come first. */
const usual = ["code", "_tag", "type", "kind"]

/** Returns the field that tells the objects of both unions apart. */
const discriminator = (before: Side, after: Side): string | undefined => {
  const sides = [before, after].map(([document, { schemas }]) =>
    schemas
      .filter(({ type }) => type === "object")
      .map((schema) => (name: string) => literalOf(document, schema, name))
  )
  const names = new Set(
    [...before[1].schemas, ...after[1].schemas].flatMap(({ properties }) =>
      Object.keys(objectOf(properties))
    )
  )
  return [...usual, ...[...names].sort()].find(
    (name) =>
      names.has(name) &&
      sides.every((objects) => {
        const values = objects.map((literal) => literal(name))
        return !values.includes(undefined) && new Set(values).size === values.length
      })
  )
}
