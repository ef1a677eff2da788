/** The result of a comparison of two documents, as text and as data. */
import * as Bump from "./Bump.ts"
import * as Changes from "./Changes.ts"
import { type Json, objectOf } from "./Schemas.ts"

/** The differences between two documents, and the version that follows from them. */
export interface Report {
  /** Undefined if nothing differs, or if a version is not one of Semantic Versioning. */
  readonly bump: Bump.Bump | undefined
  readonly changes: ReadonlyArray<Changes.Change>
  /** The versions of the old and of the new document. */
  readonly versions: { readonly after: string; readonly before: string }
}

const versionOf = ({ info }: Json): string => {
  const { version } = objectOf(info)
  return typeof version === "string" ? version : "none"
}

/** Compares two documents. */
export const of = (before: Json, after: Json): Report => {
  const changes = Changes.of(before, after)
  const [old, now] = [versionOf(before), versionOf(after)]
  // The gravest ones are first.
  const bump = changes[0] && Bump.of(old, now, changes[0].kind)
  return { bump, changes, versions: { after: now, before: old } }
}

/** Returns why a check fails: something breaks clients, and the version does not tell them. */
export const refusalOf = ({ bump, changes, versions }: Report): string | undefined => {
  if (changes[0]?.kind !== "breaking" || bump?.isDone === true) return undefined
  return bump === undefined
    ? `Clients break, and the versions "${versions.before}" and "${versions.after}" cannot tell them: write versions such as 2.0.0 into app.version`
    : `Clients break, and the version ${versions.after} does not tell them. Set version in section app of flange.toml, or the variable APP_VERSION, to ${bump.version}, or take the changes back`
}

/** The headings of the changes, in their order. */
const headings: ReadonlyArray<readonly [string, (change: Changes.Change) => boolean]> = [
  ["Breaks clients:", ({ kind }) => kind === "breaking"],
  ["Less protects them:", ({ weaker }) => weaker],
  ["Compatible:", ({ kind, weaker }) => kind === "compatible" && !weaker],
  ["Documentation only:", ({ kind }) => kind === "documentation"]
]

/** Returns the differences for people. */
export const lines = ({ bump, changes, versions }: Report, file: string): ReadonlyArray<string> => {
  if (changes.length === 0) return [`The document is that of ${file}.`]
  return [
    ...headings.flatMap(([heading, isUnder]) => {
      const found = changes.filter(isUnder)
      return found.length === 0 ? [] : [heading, ...grouped(found).map((line) => `  - ${line}`)]
    }),
    bump === undefined
      ? `The version was ${versions.before} and is ${versions.after}.`
      : bump.isDone
        ? `The version was ${versions.before} and is ${versions.after}, as the changes ask for (${bump.step}).`
        : `The version was ${versions.before} and is ${versions.after}. The changes ask for ${bump.version} (${bump.step}).`
  ]
}

/** The most operations with the same change that have a line each. */
const few = 3

/** Returns the sentences. A change that many operations share has one line. */
const grouped = (changes: ReadonlyArray<Changes.Change>): ReadonlyArray<string> => {
  const groups = Map.groupBy(changes, ({ message, operation }) =>
    operation === undefined ? message : message.slice(operation.length)
  )
  return [...groups].flatMap(([text, same]) =>
    same.length <= few
      ? same.map(({ message }) => message)
      : [
          `${same.length} operations, such as ${same
            .slice(0, few - 1)
            .map(({ operation }) => operation)
            .join(" and ")}${text}`
        ]
  )
}
