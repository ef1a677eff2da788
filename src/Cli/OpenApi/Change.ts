/** A difference between two documents, and where in an operation it is. */
import type { Json } from "./Schemas.ts"

/**
 * What a change means for a client that was made from the old document.
 *
 * - `breaking`: it fails, or it does not compile when it is made again
 * - `compatible`: it works as before
 * - `documentation`: nothing but words has changed
 */
export type Kind = "breaking" | "compatible" | "documentation"

/** A part of a change: what it says without the operation. */
export interface Part {
  readonly kind: Kind
  /** A sentence that continues the name of the operation. */
  readonly text: string
  /** Whether less protects the operation than before. */
  readonly weaker?: true
}

/** How the set of values that a schema accepts has changed. */
export type Relation = "different" | "narrower" | "wider"

/** Whether the client sends the values, or the server. */
export type Side = "reply" | "request"

/** A place in a request or a reply. */
export interface Place {
  /** The status, if it is that of an error: its variants are the errors of the contract. */
  readonly errorStatus?: string
  /** The fields from `root` to the place, such as `items[].name`; empty for `root` itself. */
  readonly path: string
  /** Such as `the body` or `the query parameter "limit"`. */
  readonly root: string
  readonly side: Side
}

/** Returns the kind of a change of the values at a place. */
export const kindOf = ({ side }: Place, relation: Relation): Kind =>
  relation === (side === "request" ? "wider" : "narrower") ? "compatible" : "breaking"

/** Returns a field as it stands in code and after a dot. */
export const field = (name: string): string =>
  /^[\w$-]+$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`

/** Returns the place of a part, such as `.name`, `[]` or `["a b"]`. */
export const at = (place: Place, part: string): Place => {
  const { errorStatus: _, ...rest } = place
  return { ...rest, path: place.path === "" ? part.replace(/^\./, "") : place.path + part }
}

/** Returns the place in words. */
export const subject = ({ path, root }: Place): string =>
  path === "" ? root : `\`${path}\` in ${root}`

/** Compares two schemas at a place. */
export type Compare = (before: unknown, after: unknown, place: Place) => ReadonlyArray<Part>

/** Both documents, and the function that compares their schemas. */
export interface Documents {
  readonly after: Json
  readonly before: Json
  readonly compare: Compare
}
