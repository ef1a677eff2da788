/** The differences between two schemas of objects. */
import { at, type Compare, field, kindOf, type Part, type Place, subject } from "./Change.ts"
import { type Json, listOf, objectOf, textOf } from "./Schemas.ts"

/** Returns the differences between the fields of two objects, and between what else they may have. */
export const of = (
  before: Json,
  after: Json,
  place: Place,
  compare: Compare
): ReadonlyArray<Part> => {
  const [old, now] = [objectOf(before["properties"]), objectOf(after["properties"])]
  const [oldOthers, nowOthers] = [othersOf(before), othersOf(after)]
  const isRequired = (schema: Json, name: string) => listOf(schema["required"]).includes(name)
  const fields = [...new Set([...Object.keys(old), ...Object.keys(now)])].flatMap((name) => {
    const inside = at(place, field(name))
    const [was, is] = [isRequired(before, name), isRequired(after, name)]
    if (!Object.hasOwn(old, name)) {
      return [
        added(name, is, oldOthers === false, place),
        ...(typeof oldOthers === "object" ? compare(oldOthers, now[name], inside) : [])
      ]
    }
    if (!Object.hasOwn(now, name)) return [removed(name, nowOthers === false, place)]
    return [
      ...(was === is ? [] : [requirement(name, is, place)]),
      ...compare(old[name], now[name], inside)
    ]
  })
  return [...fields, ...others(oldOthers, nowOthers, place, compare)]
}

/** Returns the schema of the fields that are not listed; false if there may be none. */
const othersOf = ({ additionalProperties }: Json): boolean | Json => {
  if (additionalProperties === false) return false
  const schema = objectOf(additionalProperties)
  return Object.keys(schema).length === 0 ? true : schema
}

const quoted = (name: string): string => `\`${name}\``

const added = (name: string, isRequired: boolean, wasClosed: boolean, place: Place): Part => {
  if (place.side === "reply") {
    return wasClosed
      ? {
          kind: "breaking",
          text: `${subject(place)} has a new field ${quoted(name)}: clients that refuse unknown fields refuse the reply.`
        }
      : { kind: "compatible", text: `${subject(place)} has a new field ${quoted(name)}.` }
  }
  return isRequired
    ? {
        kind: "breaking",
        text: `${subject(place)} requires a new field ${quoted(name)}: clients that do not send it get 400.`
      }
    : { kind: "compatible", text: `${subject(place)} takes a new optional field ${quoted(name)}.` }
}

const removed = (name: string, isClosed: boolean, place: Place): Part => ({
  kind: "breaking",
  text:
    place.side === "reply"
      ? `${subject(place)} no longer has the field ${quoted(name)}: clients that read it find nothing.`
      : `${subject(place)} no longer takes the field ${quoted(name)}: ${
          isClosed ? "clients that send it get 400" : "the server ignores it"
        }.`
})

const requirement = (name: string, isRequired: boolean, place: Place): Part => ({
  kind: kindOf(place, isRequired ? "narrower" : "wider"),
  text:
    place.side === "reply"
      ? isRequired
        ? `${subject(place)} always has the field ${quoted(name)} now.`
        : `${subject(place)} may lack the field ${quoted(name)} now: clients that read it may find nothing.`
      : isRequired
        ? `${subject(place)} requires the field ${quoted(name)} now: clients that do not send it get 400.`
        : `${subject(place)} no longer requires the field ${quoted(name)}.`
})

/** Compares what objects may have besides the fields that are listed. */
const others = (
  old: boolean | Json,
  now: boolean | Json,
  place: Place,
  compare: Compare
): ReadonlyArray<Part> => {
  if (textOf(old) === textOf(now) && typeof old === "boolean") return []
  if (typeof old === "object" && typeof now === "object") return compare(old, now, at(place, "[*]"))
  const isNarrower = now === false || old === true
  const limit = typeof now === "object" ? "with other values than before" : "that are not listed"
  const kind = kindOf(place, isNarrower ? "narrower" : "wider")
  const change =
    place.side === "reply"
      ? isNarrower
        ? `no longer has fields ${limit}`
        : `may have fields ${limit}`
      : isNarrower
        ? `refuses fields ${limit}`
        : `no longer refuses fields ${limit}`
  const end =
    kind === "compatible"
      ? ""
      : place.side === "request"
        ? ": clients that send them get 400"
        : ": clients that refuse unknown fields refuse the reply"
  return [{ kind, text: `${subject(place)} ${change}${end}.` }]
}
