/** Replies with a problem document that keep its members beside their text. */
import type * as HttpBody from "effect/http/HttpBody"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as ProblemDetails from "effect/http/ProblemDetails"

/** The members of a problem document, as they are written in JSON. */
export type Members = Readonly<Record<string, unknown>>

const kept = Symbol("flange/ProblemBody/kept")

/** A body with its members; Effect's type has no place for them, so a body is cast to this one. */
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

/** Returns the members that a body was made from; undefined for a body that `toResponse` did not make. */
export const membersOf = (body: HttpBody.HttpBody): Members | undefined => (body as Keeping)[kept]
