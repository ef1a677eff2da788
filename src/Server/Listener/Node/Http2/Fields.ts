/** The header fields of HTTP/2 replies. Source: RFC 9113, section 8.2. */
import * as ReplyHeaders from "../../../Exchange/ReplyHeaders.ts"
import * as RequestId from "../../../Exchange/RequestId.ts"

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

/**
 * Fields that no table of compressed headers keeps: each reply has another value, which would push out one that comes
 * again, and the value of a cookie is a secret. Source: RFC 7541, section 7.1.3.
 */
const neverIndexed: ReadonlyArray<string> = [RequestId.header, "set-cookie"]

/** The key of such names in the fields of a reply. Read when it is used, because it loads `node:http2`. */
let sensitive: symbol | undefined

/** The prepared lists of constant fields: without those of a connection, names in lower case. */
const prepared = new WeakMap<ReadonlyArray<string>, ReadonlyArray<string>>()

/**
 * Returns the fields of a reply, names and values in turn. `lines` and `constant` are such lists too; fields
 * of the connection are left out. Throws a `TypeError` if a name or value cannot be sent.
 */
export const make = (
  status: number,
  lines: ReadonlyArray<string>,
  constant: ReadonlyArray<string>
): Array<string> => {
  const fields = [":status", String(status)]
  sensitive ??= process.getBuiltinModule("node:http2").sensitiveHeaders
  // Node reads the names as a member of the list.
  const marked = fields as unknown as Record<symbol, ReadonlyArray<string>>
  marked[sensitive] = neverIndexed
  add(fields, lines)
  if (constant.length > 0) {
    let known = prepared.get(constant)
    if (known === undefined) {
      known = add([], constant)
      prepared.set(constant, known)
    }
    fields.push(...known)
  }
  return fields
}

const add = (fields: Array<string>, lines: ReadonlyArray<string>): Array<string> => {
  const problem = ReplyHeaders.errorOf(lines)
  if (problem !== undefined) throw problem
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i]!.toLowerCase()
    if (!ofConnection.has(name)) fields.push(name, lines[i + 1]!)
  }
  return fields
}
