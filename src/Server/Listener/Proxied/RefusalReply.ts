/** The replies to refused requests. */
import type { Serving } from "../../Exchange/Serving.ts"
import { type Refusal, replyTo, unread } from "../Refusal.ts"
import type { Head } from "./Parse/Head.ts"
import { compose, fieldLines, type ReplyBytes } from "./ReplyBytes.ts"

/**
 * Returns the reply to a refused request, after which the connection closes. `head` is
 * undefined if it could not be read.
 */
export const reply = (
  { error }: Pick<Refusal, "error">,
  head: Head | undefined,
  serving: Serving
): ReplyBytes => {
  const { body, headers } = replyTo(error, head ?? unread, serving)
  return compose(head?.method ?? "GET", error.status, fieldLines(headers).lines, body, "close")
}
