/** The form in which values are stored. */
import { idLength, makeId } from "./CacheStore.ts"

/** A stored value. */
export interface Entry {
  /** Whether it is the failure of a load. */
  readonly failed: boolean
  /** Unix milliseconds from which it is fresh no more. */
  readonly freshUntil: number
  /** Unix milliseconds from which it is not used at all. */
  readonly keptUntil: number
  /** The paths of the tags, sorted. */
  readonly tags: ReadonlyArray<string>
  /** Unix milliseconds until which it may be used while it is loaded again. */
  readonly usableUntil: number
  /** The encoded value. */
  readonly value: unknown
  /** The ids of the prefixes and of the tags from before the load, joined. */
  readonly versions: string
}

/** The same in fewer bytes. */
type Stored = readonly [
  freshUntil: number,
  usableUntil: number,
  keptUntil: number,
  versions: string,
  tags: ReadonlyArray<string>,
  failed: 0 | 1,
  value: unknown
]

/** Returns the text of an entry, with a new id. */
export const print = (entry: Entry): string => {
  const { failed, freshUntil, keptUntil, tags, usableUntil, value, versions } = entry
  const stored: Stored = [freshUntil, usableUntil, keptUntil, versions, tags, failed ? 1 : 0, value]
  return makeId() + JSON.stringify(stored)
}

const isStored = (value: unknown): value is Stored =>
  Array.isArray(value) &&
  value.length === 7 &&
  value.slice(0, 3).every((time) => typeof time === "number") &&
  typeof value[3] === "string" &&
  Array.isArray(value[4]) &&
  value[4].every((tag) => typeof tag === "string")

/** Returns the entry in a text; undefined if there is none, as in the mark of a load. */
export const parse = (text: string | undefined): Entry | undefined => {
  if (text === undefined || text.length <= idLength) return undefined
  let stored: unknown
  try {
    stored = JSON.parse(text.slice(idLength))
  } catch {
    return undefined
  }
  if (!isStored(stored)) return undefined
  const [freshUntil, usableUntil, keptUntil, versions, tags, failed, value] = stored
  return { failed: failed === 1, freshUntil, keptUntil, tags, usableUntil, value, versions }
}
