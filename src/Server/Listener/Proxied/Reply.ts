/** Replies as bytes. Source: RFC 9112, sections 4 and 6. */

import type { Socket } from "node:net"
import { badName, badValue } from "../../Exchange/ReplyHeaders.ts"
import * as Semantics from "../../Exchange/Semantics.ts"
import * as HttpDate from "./HttpDate.ts"
import { FIELD, isAt, octets, TOKEN } from "./Parse/Octets.ts"

// The import statement would also evaluate the module's lazy parts.
const { STATUS_CODES } = process.getBuiltinModule("node:http")

/** What is written: text whose octets are its characters, bytes, or a head and a body. */
export type Payload = Buffer | readonly [head: Buffer, body: Uint8Array] | string

/** The interim reply that asks for the body. */
export const proceed = "HTTP/1.1 100 Continue\r\n\r\n"

/** What becomes of the connection after a reply. */
export type Persistence = "close" | "keep" | "keep-1.0"

const connection: Readonly<Record<Persistence, string>> = {
  close: "Connection: close\r\n",
  keep: "",
  "keep-1.0": "Connection: keep-alive\r\n"
}

/** Bodies up to this size are copied behind their head, so that one write sends both. */
const maxCopied = 16 * 1024

const statusLines: Array<string | undefined> = []

const statusLine = (status: number): string =>
  (statusLines[status] ??= `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Unknown"}\r\n`)

/** The fields of a reply as lines, and what they say to the listener. */
export interface FieldLines {
  /** Whether the handler wants the connection closed. */
  readonly closes: boolean
  readonly lines: string
}

/**
 * The lines of names and values in turn. Those that the listener writes itself
 * are left out. Throws a `TypeError` where a name is no token, or where a value
 * has a character that would end its line.
 */
export const fieldLines = (headers: ReadonlyArray<string>): FieldLines => {
  let closes = false
  let lines = ""
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!
    const value = headers[i + 1]!
    if (!consistsOf(name, TOKEN) || name === "") throw badName(name)
    if (!consistsOf(value, FIELD)) throw badValue(name)
    switch (name.length) {
      case 4:
        if (isAt(name, 0, "date")) continue
        break
      case 10:
        if (isAt(name, 0, "connection")) {
          closes ||= Semantics.elements(value).includes("close")
          continue
        }
        if (isAt(name, 0, "keep-alive")) continue
        break
      case 14:
        if (isAt(name, 0, "content-length")) continue
        break
      case 17:
        if (isAt(name, 0, "transfer-encoding")) continue
    }
    lines += name + ": " + value + "\r\n"
  }
  return { closes, lines }
}

const consistsOf = (text: string, set: number): boolean => {
  for (let i = 0; i < text.length; i++) {
    // Beyond the table nothing is allowed.
    if ((octets[text.charCodeAt(i)]! & set) === 0) return false
  }
  return true
}

/** A reply by length to a request with this method. */
export const compose = (
  method: string,
  status: number,
  lines: string,
  body: string | Uint8Array,
  persistence: Persistence
): Payload => {
  const sent = Semantics.bodyOf(method, status)
  const length = typeof body === "string" ? Buffer.byteLength(body) : body.length
  const head =
    statusLine(status) +
    lines +
    (sent === "nothing" ? "" : "Content-Length: " + length + "\r\n") +
    HttpDate.field() +
    connection[persistence] +
    "\r\n"
  if (sent !== "body" || length === 0) return head
  if (typeof body === "string") {
    // As many bytes as characters: all ASCII, which is the same in every encoding.
    if (length === body.length) return head + body
    const bytes = Buffer.allocUnsafe(head.length + length)
    bytes.write(head, 0, "latin1")
    bytes.write(body, head.length, "utf8")
    return bytes
  }
  if (length > maxCopied) return [Buffer.from(head, "latin1"), body]
  const bytes = Buffer.allocUnsafe(head.length + length)
  bytes.write(head, 0, "latin1")
  bytes.set(body, head.length)
  return bytes
}

/** Writes a reply in one system call where the socket takes it. */
export const write = (socket: Socket, payload: Payload): void => {
  if (typeof payload === "string") socket.write(payload, "latin1")
  else if (Buffer.isBuffer(payload)) socket.write(payload)
  else {
    socket.cork()
    socket.write(payload[0])
    socket.write(payload[1])
    socket.uncork()
  }
}
