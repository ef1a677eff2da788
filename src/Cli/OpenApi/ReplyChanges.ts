/** The differences in what an operation answers: statuses, errors, headers and bodies. */
import type { Documents, Part, Place } from "./Change.ts"
import * as MediaChanges from "./MediaChanges.ts"
import type { Operation } from "./Operations.ts"
import { type Json, objectOf, resolved, variantsOf } from "./Schemas.ts"
import * as Unions from "./Unions.ts"

/** Returns the differences in the replies of an operation. */
export const of = (
  { json: before }: Operation,
  { json: after }: Operation,
  documents: Documents
): ReadonlyArray<Part> => {
  const [old, now] = [objectOf(before["responses"]), objectOf(after["responses"])]
  const statuses = [...new Set([...Object.keys(old), ...Object.keys(now)])].sort()
  return statuses.flatMap((status): ReadonlyArray<Part> => {
    const was = resolved(documents.before, old[status])
    const is = resolved(documents.after, now[status])
    const isError = /^[45]/.test(status)
    const place: Place = {
      path: "",
      root: `the reply ${status}`,
      side: "reply",
      ...(isError ? { errorStatus: status } : {})
    }
    if (Object.hasOwn(old, status) && Object.hasOwn(now, status)) {
      return ofBoth(was, is, place, documents)
    }
    if (Object.hasOwn(now, status)) {
      return isError
        ? errorsOf(documents.after, is).labels.map((label) => Unions.added(label, place))
        : [{ kind: "breaking", text: `it may answer ${status} now, which clients do not know.` }]
    }
    return isError
      ? errorsOf(documents.before, was).labels.map((label) => Unions.removed(label, place))
      : [{ kind: "compatible", text: `it no longer answers ${status}.` }]
  })
}

/** Returns the errors of a reply: their codes, or their titles if one schema stands for all. */
const errorsOf = (
  document: Json,
  { content, description }: Json
): { readonly hasCodes: boolean; readonly labels: ReadonlyArray<string> } => {
  const codes = Object.values(objectOf(content))
    .flatMap((media) => variantsOf(document, objectOf(media)["schema"]).schemas)
    .map((schema) => Unions.literalOf(document, schema, "code"))
  const hasCodes = codes.length > 0 && !codes.includes(undefined)
  const labels = hasCodes ? codes.map(String) : String(description).split(" | ")
  return { hasCodes, labels: [...new Set(labels)] }
}

/** Returns the description of a reply. Effect writes the name of a component if there is none. */
const describedOf = (document: Json, { description }: Json): unknown => {
  const names = objectOf(objectOf(document["components"])["schemas"])
  return String(description)
    .split(" | ")
    .every((name) => Object.hasOwn(names, name))
    ? undefined
    : description
}

const ofBoth = (
  before: Json,
  after: Json,
  place: Place,
  documents: Documents
): ReadonlyArray<Part> => {
  const { compare } = documents
  const parts = [...headers(before, after, place, documents)]
  const old = errorsOf(documents.before, before)
  const now = errorsOf(documents.after, after)
  const { errorStatus, ...plain } = place
  if (errorStatus !== undefined && old.hasCodes && now.hasCodes) {
    return [...parts, ...MediaChanges.content(before, after, place, compare)]
  }
  parts.push(...MediaChanges.content(before, after, plain, compare))
  if (errorStatus === undefined) {
    return describedOf(documents.before, before) === describedOf(documents.after, after)
      ? parts
      : [...parts, { kind: "documentation", text: `${place.root} is described in other words.` }]
  }
  return [
    ...parts,
    ...now.labels
      .filter((label) => !old.labels.includes(label))
      .map((label) => Unions.added(label, place)),
    ...old.labels
      .filter((label) => !now.labels.includes(label))
      .map((label) => Unions.removed(label, place))
  ]
}

const headers = (
  before: Json,
  after: Json,
  place: Place,
  documents: Documents
): ReadonlyArray<Part> => {
  const byName = (document: Json, response: Json) =>
    new Map(
      Object.entries(objectOf(response["headers"])).map(([name, header]) => [
        name.toLowerCase(),
        resolved(document, header)
      ])
    )
  const old = byName(documents.before, before)
  const now = byName(documents.after, after)
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((name): ReadonlyArray<Part> => {
    const [was, is] = [old.get(name), now.get(name)]
    const root = `the header \`${name}\` of ${place.root}`
    if (was === undefined) return [{ kind: "compatible", text: `${root} is new.` }]
    if (is === undefined) {
      return [{ kind: "breaking", text: `${root} was removed: clients that read it find nothing.` }]
    }
    const [wasRequired, isRequired] = [was["required"] === true, is["required"] === true]
    return [
      ...(wasRequired === isRequired
        ? []
        : [
            isRequired
              ? { kind: "compatible" as const, text: `${root} is always there now.` }
              : { kind: "breaking" as const, text: `${root} may be missing now.` }
          ]),
      ...documents.compare(was["schema"] ?? {}, is["schema"] ?? {}, {
        path: "",
        root,
        side: "reply"
      }),
      ...(was["description"] === is["description"]
        ? []
        : [{ kind: "documentation" as const, text: `${root} is described in other words.` }])
    ]
  })
}
