/** The header fields of HTTP/2 replies. Source: RFC 9113, section 8.2. */
import type { OutgoingHttpHeaders } from "node:http2"
import * as ReplyHeaders from "../../../Exchange/ReplyHeaders.ts"

/** Fields that speak of an HTTP/1.1 connection. A reply of HTTP/2 must not have them. */
const ofConnection: ReadonlySet<string> = new Set([
  "connection",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade"
])

/** The prepared fields of lists that are constant for a route. */
const prepared = new WeakMap<ReadonlyArray<string>, ReadonlyArray<string>>()

/**
 * Returns the fields of a reply. `lines` and `constant` are names and values in turn; fields of the
 * connection are left out. Throws a `TypeError` if a name or value cannot be sent.
 */
export const make = (
  status: number,
  lines: ReadonlyArray<string>,
  constant: ReadonlyArray<string>
): OutgoingHttpHeaders => {
  const fields: OutgoingHttpHeaders = { ":status": status }
  add(fields, checked(lines))
  if (constant.length > 0) {
    let known = prepared.get(constant)
    if (known === undefined) {
      known = checked(constant)
      prepared.set(constant, known)
    }
    add(fields, known)
  }
  return fields
}

const checked = (lines: ReadonlyArray<string>): ReadonlyArray<string> => {
  const problem = ReplyHeaders.errorOf(lines)
  if (problem !== undefined) throw problem
  return lines
}

const add = (fields: OutgoingHttpHeaders, lines: ReadonlyArray<string>): void => {
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i]!.toLowerCase()
    if (ofConnection.has(name)) continue
    const value = lines[i + 1]!
    const before = fields[name]
    fields[name] =
      before === undefined
        ? value
        : Array.isArray(before)
          ? [...before, value]
          : [String(before), value]
  }
}
