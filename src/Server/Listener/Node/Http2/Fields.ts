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

/** The prepared lists of constant fields: without those of a connection, names in lower case. */
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
  // A field may have the name of a member of all objects.
  const fields: OutgoingHttpHeaders = Object.create(null)
  fields[":status"] = status
  add(fields, prepare(lines))
  if (constant.length > 0) {
    let known = prepared.get(constant)
    if (known === undefined) {
      known = prepare(constant)
      prepared.set(constant, known)
    }
    add(fields, known)
  }
  return fields
}

const prepare = (lines: ReadonlyArray<string>): ReadonlyArray<string> => {
  const problem = ReplyHeaders.errorOf(lines)
  if (problem !== undefined) throw problem
  const kept: Array<string> = []
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i]!.toLowerCase()
    if (!ofConnection.has(name)) kept.push(name, lines[i + 1]!)
  }
  return kept
}

const add = (fields: OutgoingHttpHeaders, lines: ReadonlyArray<string>): void => {
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i]!
    const value = lines[i + 1]!
    const before = fields[name]
    if (before === undefined) fields[name] = value
    else fields[name] = Array.isArray(before) ? [...before, value] : [String(before), value]
  }
}
