/** The replies to refused requests. */
import * as Problem from "../../Exchange/Problem.ts"
import * as RequestId from "../../Exchange/RequestId.ts"
import type { Refusal } from "../Refusal.ts"
import type { Head } from "./Parse/Head.ts"
import { compose, type Payload } from "./Reply.ts"

/**
 * Returns the reply to a refused request, after which the connection closes. `head` is
 * undefined if it could not be read.
 */
export const reply = ({ error }: Refusal, head: Head | undefined): Payload => {
  const requestId = RequestId.fromHeader(head?.header(RequestId.header))
  return compose(
    head?.method ?? "GET",
    error.status,
    `content-type: application/problem+json\r\n${RequestId.header}: ${requestId}\r\n`,
    Problem.toText(Problem.document(error, { requestId, target: head?.target })),
    "close"
  )
}
