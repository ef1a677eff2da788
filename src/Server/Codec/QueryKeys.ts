/** The keys that the query of a request may have, for endpoints that refuse others. */
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as Nearest from "../../Config/Nearest.ts"
import type { Issue } from "../../Contract/Catalogue.ts"
import * as EncodedNames from "../../Contract/EncodedNames.ts"
import * as Issues from "../Exchange/Issues.ts"

/** Returns an issue for each key that is not known. */
export type Unknown = (query: Readonly<Record<string, unknown>>) => ReadonlyArray<Issue>

/** Returns the function that finds unknown keys; `undefined` if the contract takes every key. */
export const make = (endpoint: HttpApiEndpoint.Top): Unknown | undefined => {
  const known = EncodedNames.ofQuery(endpoint)
  if (known === undefined) return undefined
  const names = [...known].toSorted()
  return (found) =>
    Object.keys(found)
      .filter((key) => !known.has(key))
      .map((key) => ({
        detail: explained(key, names),
        location: "query",
        pointer: Issues.pointerSegment(key)
      }))
}

/** No known key is longer than this, so that a longer one resembles none. */
const longest = 100

const explained = (key: string, known: ReadonlyArray<string>): string => {
  const shown = JSON.stringify(key.length > longest ? `${key.slice(0, longest)}...` : key)
  const nearest = key.length > longest ? undefined : Nearest.nearest(key, known)
  if (nearest !== undefined) return `Unknown key ${shown}. Did you mean "${nearest}"?`
  return known.length === 0
    ? `Unknown key ${shown}. The query takes no keys.`
    : `Unknown key ${shown}. The query takes ${known.join(", ")}.`
}
