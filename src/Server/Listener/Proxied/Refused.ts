/** The reply to a request that is refused. */
import * as RequestId from "../../Exchange/RequestId.ts"
import type { Head } from "./Head.ts"
import { problem, type Refusal } from "./Refusal.ts"
import { compose, type Payload } from "./Reply.ts"

/**
 * The reply to a request that is refused; the connection closes after it. `head`
 * is the request's, where it could be read.
 */
export const reply = (refusal: Refusal, head: Head | undefined): Payload => {
  const requestId = RequestId.fromHeader(head?.header(RequestId.header))
  return compose(
    refusal.status,
    `content-type: application/problem+json\r\n${RequestId.header}: ${requestId}\r\n`,
    problem(refusal, requestId, head?.target.split(/[?#]/, 1)[0]),
    head?.method === "HEAD",
    "close"
  )
}
