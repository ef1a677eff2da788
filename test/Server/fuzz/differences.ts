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

/** Returns the reason of a difference; undefined if it has none. */
export const reasonOf = ({ at, node, proxied, sent }: Difference): string | undefined => {
  const { end, requests } = read([sent])
  const refusal = /^\d+ (\w+)$/.exec(end)?.[1] as Name | undefined
  const isRefused = at >= requests.length
  if (isRefused && refusal !== undefined && refusal in stricter) return stricter[refusal]
  const before = requests[at - 1]
  if (before !== undefined && node === undefined) {
    if (fieldOf(before, "upgrade") !== undefined) {
      return "node closes the connection after an offer to upgrade that it ignores: its parser loses what follows"
    }
    if (sent.includes("HTTP/1.0")) {
      return "node closes the connection after a reply to HTTP/1.0 that has no length"
    }
  }
  if (before !== undefined && proxied === undefined && fieldOf(before, "expect") !== undefined) {
    return "a client that waits for 100 Continue may send its body after a refusal, or not"
  }
  if (proxied?.status === 101 && at > 0) {
    return "node ignores an offer to upgrade behind a request whose reply is not sent"
  }
  const text = sent.toString("latin1")
  const isUnknown = [...text.matchAll(/(\S+) \S+ HTTP\/1\.[01]\r\n/g)].some(
    ([, method]) => !methods.has(method!)
  )
  if (isUnknown && node?.status === 400) {
    return "any token is a method, and node's parser knows some"
  }
  const ofStream = /POST \/(?:multipart|streamed|raw\/body) /.test(text)
  if (ofStream && isRefused && node?.status === 400 && proxied?.status === 400) {
    return "a body that is read piece by piece may be answered before its end is found malformed"
  }
  if (node === undefined) {
    return "node destroys a connection with its last reply, which resets it if bytes still come, so that replies are lost"
  }
  return undefined
}
