/** The differences in what an operation takes: parameters and the body. */
import { unlisted } from "../../Layers/OpenApi/Document.ts"
import type { Documents, Part, Place } from "./Change.ts"
import * as MediaChanges from "./MediaChanges.ts"
import type { Operation } from "./Operations.ts"
import { type Json, resolved, textOf } from "./Schemas.ts"

/** Returns the differences in the request of an operation. */
export const of = (
  before: Operation,
  after: Operation,
  documents: Documents
): ReadonlyArray<Part> => [
  ...strictness(before, after),
  ...parameters(before, after, documents),
  ...body(before, after, documents)
]

/** Whether the document states that a query with an unknown key is refused. */
const isStrict = ({ json }: Operation): boolean => String(json["description"]).includes(unlisted)

const strictness = (before: Operation, after: Operation): ReadonlyArray<Part> =>
  isStrict(before) === isStrict(after)
    ? []
    : [
        isStrict(after)
          ? {
              kind: "breaking",
              text: "the query refuses keys that are not listed: clients that send them get 400."
            }
          : { kind: "compatible", text: "the query no longer refuses keys that are not listed." }
      ]

const nameOf = ({ in: place, name }: Json): string =>
  place === "path"
    ? `the parameter \`${String(name)}\` of the path`
    : place === "query"
      ? `the query parameter \`${String(name)}\``
      : `the ${String(place)} \`${String(name)}\``

const parameters = (
  before: Operation,
  after: Operation,
  { compare }: Documents
): ReadonlyArray<Part> => {
  const old = new Map(before.parameters)
  const parts: Array<Part> = []
  for (const [key, parameter] of after.parameters) {
    const at = after.pathNames.indexOf(String(parameter["name"]))
    // Parameters of the path are told apart by their place.
    const oldKey =
      parameter["in"] === "path" && before.shape === after.shape
        ? `path ${before.pathNames[at]}`
        : key
    const known = old.get(oldKey)
    const name = nameOf(parameter)
    const isRequired = parameter["required"] === true
    if (known === undefined) {
      parts.push(
        isRequired && parameter["in"] !== "path"
          ? {
              kind: "breaking",
              text: `it requires ${name}, which is new: clients that do not send it get 400.`
            }
          : { kind: "compatible", text: `it takes ${name}, which is new.` }
      )
      continue
    }
    old.delete(oldKey)
    if (isRequired !== (known["required"] === true)) {
      parts.push(
        isRequired
          ? {
              kind: "breaking",
              text: `it requires ${name} now: clients that do not send it get 400.`
            }
          : { kind: "compatible", text: `it no longer requires ${name}.` }
      )
    }
    const place: Place = { path: "", root: name, side: "request" }
    parts.push(...compare(known["schema"] ?? {}, parameter["schema"] ?? {}, place))
    parts.push(...MediaChanges.content(known, parameter, place, compare))
    parts.push(...form(known, parameter, name))
  }
  const gone = [...old.values()].filter((parameter) => parameter["in"] !== "path")
  return [
    ...parts,
    ...gone.map((parameter): Part => {
      const isRefused = parameter["in"] === "query" && isStrict(after)
      return {
        kind: "breaking",
        text: `it no longer takes ${nameOf(parameter)}: ${isRefused ? "clients that send it get 400" : "the server ignores it"}.`
      }
    })
  ]
}

/** Compares how a parameter is written, and what is said about it. */
const form = (before: Json, after: Json, name: string): ReadonlyArray<Part> => {
  const written = ({ allowReserved, explode, style }: Json) =>
    textOf([allowReserved, explode, style])
  const described = ({ deprecated, description, example, examples }: Json) =>
    textOf([deprecated, description, example, examples])
  return [
    ...(written(before) === written(after)
      ? []
      : [{ kind: "breaking" as const, text: `${name} is written in another form.` }]),
    ...(described(before) === described(after)
      ? []
      : [{ kind: "documentation" as const, text: `${name} is described in other words.` }])
  ]
}

const body = (
  { json: before }: Operation,
  { json: after }: Operation,
  documents: Documents
): ReadonlyArray<Part> => {
  const old = resolved(documents.before, before["requestBody"])
  const now = resolved(documents.after, after["requestBody"])
  const [has, had] = [Object.keys(now).length > 0, Object.keys(old).length > 0]
  if (!has && !had) return []
  if (!has) return [{ kind: "breaking", text: "it no longer takes a body: the server ignores it." }]
  const [isRequired, wasRequired] = [now["required"] === true, old["required"] === true]
  if (!had) {
    return [
      isRequired
        ? { kind: "breaking", text: "it requires a body now: clients that send none get 400." }
        : { kind: "compatible", text: "it takes a body now." }
    ]
  }
  const place: Place = { path: "", root: "the body", side: "request" }
  return [
    ...(isRequired === wasRequired
      ? []
      : [
          isRequired
            ? {
                kind: "breaking" as const,
                text: "it requires the body now: clients that send none get 400."
              }
            : { kind: "compatible" as const, text: "it no longer requires the body." }
        ]),
    ...MediaChanges.content(old, now, place, documents.compare),
    ...(old["description"] === now["description"]
      ? []
      : [{ kind: "documentation" as const, text: "the body is described in other words." }])
  ]
}
