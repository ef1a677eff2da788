/** How the WebSockets of channels end. Clients and servers use it. */
import * as Data from "effect/Data"

/** The codes of closing frames. Source: RFC 6455, section 7.4.1, and the registry of IANA. */
export const codes = {
  abnormal: 1006,
  goingAway: 1001,
  internal: 1011,
  invalid: 1007,
  normal: 1000,
  policy: 1008,
  tooBig: 1009,
  tryLater: 1013,
  unsupported: 1003
} as const

/** The connection of a channel is closed: nothing can be sent any more. */
export class ChannelClosed extends Data.TaggedError("ChannelClosed")<{
  /** The code of the closing frame; 1006 if there was none. */
  readonly code: number
  readonly reason: string
}> {
  override get message(): string {
    return `The connection is closed: ${this.code}${this.reason === "" ? "" : ` ${this.reason}`}`
  }
}

/** The most bytes of a reason. Source: RFC 6455, section 5.5. */
const maxReason = 123

const utf8 = new TextEncoder()

/** Returns the beginning of a reason that a closing frame can have. */
export const shortened = (reason: string): string => {
  if (utf8.encode(reason).length <= maxReason) return reason
  let short = ""
  let length = 0
  for (const character of reason) {
    length += utf8.encode(character).length
    if (length > maxReason) break
    short += character
  }
  return short
}

/** Whether an endpoint may send a code. */
export const isSendable = (code: number): boolean =>
  code === 1000 ||
  (code >= 3000 && code <= 4999) ||
  (code > 1000 && code < 1015 && ![1004, 1005, 1006].includes(code))
