/** The differences between two OpenAPI documents, in words for those who call the app. */
import { unlisted } from "../../Layers/OpenApi/Document.ts"
import * as AccessChanges from "./AccessChanges.ts"
import type { Documents, Kind, Part } from "./Change.ts"
import * as Operations from "./Operations.ts"
import * as ReplyChanges from "./ReplyChanges.ts"
import * as RequestChanges from "./RequestChanges.ts"
import * as SchemaChanges from "./SchemaChanges.ts"
import { type Json, listOf, objectOf, textOf } from "./Schemas.ts"

/** One difference. */
export interface Change {
  readonly kind: Kind
  /** A sentence that names the operation. */
  readonly message: string
  /** Such as `POST /v1/orders (orders.create)`; undefined for the document itself. */
  readonly operation: string | undefined
  /** Whether less protects the operation than before. */
  readonly weaker: boolean
}

const ranks: Readonly<Record<Kind, number>> = { breaking: 0, compatible: 1, documentation: 2 }

/** Returns the differences, the breaking ones first. */
export const of = (before: Json, after: Json): ReadonlyArray<Change> => {
  const documents: Documents = { after, before, compare: SchemaChanges.make(before, after) }
  const operations = Operations.pairs(Operations.of(before), Operations.of(after)).flatMap(
    (pair): ReadonlyArray<Change> => {
      const operation = Operations.nameOf((pair.after ?? pair.before)!)
      return ofPair(pair, documents).map(({ kind, text, weaker = false }) => ({
        kind,
        message: `${operation}: ${text}`,
        operation,
        weaker
      }))
    }
  )
  const whole = [...AccessChanges.ofSchemes(before, after), ...ofDocument(before, after)].map(
    ({ kind, text, weaker = false }): Change => ({
      kind,
      message: text,
      operation: undefined,
      weaker
    })
  )
  return [...whole, ...operations].sort((a, b) => ranks[a.kind] - ranks[b.kind])
}

const ofPair = ({ after, before }: Operations.Pair, documents: Documents): ReadonlyArray<Part> => {
  if (before === undefined) return [{ kind: "compatible", text: "is new." }]
  if (after === undefined) {
    return [{ kind: "breaking", text: "was removed: clients that call it get an error." }]
  }
  return [
    ...names(before, after),
    ...AccessChanges.of([documents.before, before.json], [documents.after, after.json]),
    ...RequestChanges.of(before, after, documents),
    ...ReplyChanges.of(before, after, documents),
    ...words(before.json, after.json)
  ]
}

const again =
  "Requests are the same, but code that is made from the document again does not compile."

/** Returns the differences in the names that code made from a document uses. */
const names = (before: Operations.Operation, after: Operations.Operation): ReadonlyArray<Part> => {
  if (before.shape !== after.shape) {
    return [{ kind: "breaking", text: `was ${before.key}: clients that call it get an error.` }]
  }
  const renamed = before.pathNames.flatMap((name, i): ReadonlyArray<Part> => {
    const now = after.pathNames[i]
    return name === now
      ? []
      : [
          {
            kind: "breaking",
            text: `the parameter ${name} of the path has the name ${now} now. ${again}`
          }
        ]
  })
  return before.id === after.id || before.id === undefined
    ? renamed
    : [
        ...renamed,
        {
          kind: "breaking",
          text:
            after.id === undefined
              ? `had the id ${before.id}, and has none now. ${again}`
              : `had the id ${before.id}. ${again}`
        }
      ]
}

/** The members of an operation that no request depends on. */
const described = ["deprecated", "description", "externalDocs", "summary", "tags"]

const words = (before: Json, after: Json): ReadonlyArray<Part> => {
  const [old, now] = [before, after].map((operation) =>
    described.map((name) => {
      const value = operation[name] ?? ""
      return typeof value === "string" ? value.replace(unlisted, "").trim() : value
    })
  )
  if (before["deprecated"] !== true && after["deprecated"] === true) {
    return [{ kind: "documentation", text: "is deprecated now." }]
  }
  return textOf(old) === textOf(now)
    ? []
    : [{ kind: "documentation", text: "is described in other words." }]
}

/** Returns the differences that belong to no operation. */
const ofDocument = (before: Json, after: Json): ReadonlyArray<Part> => {
  const urls = (document: Json) =>
    listOf(document["servers"]).map((server) => String(objectOf(server)["url"]))
  const [old, now] = [urls(before), urls(after)]
  const about = ({ info, tags, externalDocs }: Json) => {
    const { version: _, ...rest } = objectOf(info)
    return textOf([rest, tags, externalDocs])
  }
  return [
    ...old
      .filter((url) => !now.includes(url))
      .map((url): Part => ({
        kind: "breaking",
        text: `The server ${url} is not listed any more: clients that were made for it call it.`
      })),
    ...now
      .filter((url) => !old.includes(url))
      .map((url): Part => ({ kind: "compatible", text: `The server ${url} is new.` })),
    ...(about(before) === about(after)
      ? []
      : [
          {
            kind: "documentation" as const,
            text: "The title, the description or the tags of the document are others."
          }
        ])
  ]
}
