/**
 * Replies whose body is a problem document. The body keeps the members of the document as an
 * object, in addition to the text.
 */
import type * as HttpBody from "effect/http/HttpBody"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as ProblemDetails from "effect/http/ProblemDetails"

/** Returns the `type` of the problem documents with a code. */
export const typeOf = (code: string): string =>
  `urn:problem:${code.toLowerCase().replaceAll("_", "-")}`

/** The members of a problem document, as they are written in JSON. */
export type Members = Readonly<Record<string, unknown>>

const kept = Symbol("flange/ProblemBody/kept")

/** A body with its members, which Effect's type does not have. */
interface Keeping {
  [kept]?: Members
}

/** Creates a reply from the members of a problem document. */
export const toResponse = (
  members: Members,
  status: number
): HttpServerResponse.HttpServerResponse => {
  const response = HttpServerResponse.jsonUnsafe(members, {
    contentType: ProblemDetails.contentType,
    status
  })
  // No other reply has this body yet.
  ;(response.body as Keeping)[kept] = members
  return response
}

/** Returns the members of a body; undefined if `toResponse` did not create it. */
export const membersOf = (body: HttpBody.HttpBody): Members | undefined => (body as Keeping)[kept]
