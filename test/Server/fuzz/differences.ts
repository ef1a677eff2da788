/** The differences between the replies of the two socket listeners that have a reason. */
import * as Http from "node:http"
import type { Name } from "../../../src/Server/Listener/Refusal.ts"
import { stricter } from "../Listener/Proxied/Parse/stricter.ts"
import { type Read, read } from "../Listener/Proxied/Parse/verdict.ts"
import type { Reply } from "./send.ts"

/** What the listeners answer at the first difference; undefined if no reply came. */
export interface Difference {
  /** How many replies came before. */
  readonly at: number
  readonly node: Reply | undefined
  readonly proxied: Reply | undefined
  /** What was sent. */
  readonly sent: Buffer
}

const methods: ReadonlySet<string> = new Set(Http.METHODS)

const fieldOf = ({ rawHeaders }: Read, name: string): string | undefined => {
  const at = rawHeaders.findIndex((text, i) => i % 2 === 0 && text.toLowerCase() === name)
  return at === -1 ? undefined : rawHeaders[at + 1]
}

/** A field `Connection` among those behind the last chunk of a body. */
const trailerOfConnection = /\r\n0+\r\n(?:[^\r\n]+\r\n)*?connection:/i

/** Returns the reason of a difference; undefined if it has none. */
export const reasonOf = ({ at, node, proxied, sent }: Difference): string | undefined => {
  const { cut, end, requests } = read([sent])
  const refusal = /^\d+ (\w+)$/.exec(end)?.[1] as Name | undefined
  const isRefused = at >= requests.length
  if (isRefused && refusal !== undefined && refusal in stricter) return stricter[refusal]
  const before = requests[at - 1]
  if (before !== undefined && node === undefined && fieldOf(before, "upgrade") !== undefined) {
    return "node closes the connection after an offer to upgrade that it ignores: its parser loses what follows"
  }
  if (before !== undefined && proxied === undefined && fieldOf(before, "expect") !== undefined) {
    return "a client that waits for 100 Continue may send its body after a refusal, or not"
  }
  if (proxied?.status === 101 && at > 0) {
    return "node ignores an offer to upgrade behind a request whose reply is not sent"
  }
  const isKnown = ({ method }: Read) => methods.has(method)
  const heads = cut === undefined ? requests : [...requests, cut]
  // Node's parser reads nothing behind a method that it does not know.
  const isLost = node === undefined || node.status === 400
  if (isLost && !heads.slice(0, at + 1).every(isKnown)) {
    return "any token is a method, and node's parser knows some"
  }
  const ofStream = /POST \/(?:multipart|streamed|raw\/body) /.test(sent.toString("latin1"))
  if (ofStream && isRefused && node?.status === 400 && proxied !== undefined) {
    return "a body that is read piece by piece may be answered before its end is found malformed"
  }
  if (isRefused && node?.status === 400 && proxied !== undefined && proxied.status >= 400) {
    return "a request may be refused for its head before its body is found malformed"
  }
  if (
    before !== undefined &&
    node?.status === 400 &&
    trailerOfConnection.test(sent.toString("latin1"))
  ) {
    return "node obeys Connection behind a chunked body, and reads nothing after it"
  }
  return undefined
}
