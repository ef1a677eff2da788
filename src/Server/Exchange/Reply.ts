/** A value of the contract as a reply. */
import * as Response from "effect/http/HttpServerResponse"
import * as Problem from "./Problem.ts"

/** A value of the contract as it goes on the wire. */
export interface Reply {
  readonly body: string | Uint8Array
  /** Undefined for a reply without a body and without a header that sets it. */
  readonly contentType: string | undefined
  /** Names in lower case and values in turn, without `content-type` and `content-length`. */
  readonly headers: ReadonlyArray<string>
  /** The members of a problem document, which stands in the place of `body`. */
  readonly problem?: Readonly<Record<string, unknown>>
  readonly status: number
}

/** A value of the contract as Effect's response. */
export const responseOf = (
  { body, contentType, headers, problem, status }: Reply,
  about: Pick<Problem.About, "requestId" | "target">
): Response.HttpServerResponse => {
  const named: Record<string, string> = {}
  for (let i = 0; i < headers.length; i += 2) named[headers[i]!] = headers[i + 1]!
  if (problem !== undefined) {
    return Response.setHeaders(Problem.written(problem, status, about), named)
  }
  if (contentType === undefined) return Response.empty({ headers: named, status })
  const options = { contentType, headers: named, status }
  return typeof body === "string"
    ? Response.text(body, options)
    : Response.uint8Array(body, options)
}

/** Why a status cannot be sent; undefined if it can. Source: RFC 9110, section 15. */
export const statusProblem = (status: number): RangeError | undefined =>
  Number.isInteger(status) && status >= 200 && status <= 599
    ? undefined
    : new RangeError(`The status of a reply is ${status}. Use an integer from 200 to 599.`)
