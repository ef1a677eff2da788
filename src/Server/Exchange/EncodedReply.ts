/** Replies that are encoded from values of the contract. */
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Problem from "./Problem.ts"
import * as WireReply from "./WireReply.ts"

/** An encoded value of the contract. */
export interface EncodedReply {
  readonly body: string | Uint8Array
  /** Undefined if the reply has no body. */
  readonly contentType: string | undefined
  /** Names in lower case and values in turn, without `content-type` and those that frame the body. */
  readonly headers: ReadonlyArray<string>
  /** The members of the problem document to send in place of `body`. */
  readonly problem?: Readonly<Record<string, unknown>>
  readonly status: number
}

/** Returns the reply as Effect's response. */
export const toResponse = (
  { body, contentType, headers, problem, status }: EncodedReply,
  about: Pick<Problem.About, "requestId" | "target">
): HttpServerResponse.HttpServerResponse => {
  if (problem !== undefined) {
    return WireReply.withLines(Problem.written(problem, status, about), headers)
  }
  const response = WireReply.withLines(WireReply.responseOf(body, { contentType, status }), headers)
  return contentType === undefined ? Problem.asDeclared(response) : response
}

/**
 * Returns the error for a status that cannot be sent; undefined if it can. Source: RFC 9110,
 * section 15.
 */
export const statusError = (status: number): RangeError | undefined =>
  Number.isInteger(status) && status >= 200 && status <= 599
    ? undefined
    : new RangeError(`The status of a reply is ${status}. Use an integer from 200 to 599.`)
