/** Replies as bytes. Source: RFC 9112, sections 4 and 6. */

import type { Socket } from "node:net"
import { badName, badValue } from "../../Exchange/ReplyHeaders.ts"
import * as Semantics from "../../Exchange/Semantics.ts"
import * as HttpDate from "./HttpDate.ts"
import { FIELD, isAt, octets, TOKEN } from "./Parse/Octets.ts"

// The import statement would also evaluate the module's lazy parts.
const { STATUS_CODES } = process.getBuiltinModule("node:http")

/** A composed reply: Latin-1 text, bytes, or a head and a body. */
export type ReplyBytes = Buffer | readonly [head: Buffer, body: Uint8Array] | string

/** The interim reply that lets the client send the body. */
export const proceed = "HTTP/1.1 100 Continue\r\n\r\n"

/** Whether the connection stays open after a reply. */
export type Persistence = "close" | "keep" | "keep-1.0"

const connection: Readonly<Record<Persistence, string>> = {
  close: "Connection: close\r\n",
  keep: "",
  "keep-1.0": "Connection: keep-alive\r\n"
}

/** A body up to this size is copied behind its head, so that one write sends both. */
const maxCopied = 16 * 1024

const statusLines: Array<string | undefined> = []

const statusLine = (status: number): string =>
  (statusLines[status] ??= `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Unknown"}\r\n`)

/** The fields of a reply as lines, and what they mean for the connection. */
export interface FieldLines {
  /** Whether the handler wants the connection closed. */
  readonly closes: boolean
  readonly lines: string
}

/**
 * Returns the lines of fields, names and values in turn. Fields and options of the connection
 * that the listener writes itself are left out. Throws a `TypeError` if a name is not a token, or if a value has a
 * character that a field cannot have.
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
          const options = Semantics.elements(value)
          closes ||= options.includes("close")
          const others = options.filter((option) => !["", "close", "keep-alive"].includes(option))
          if (others.length > 0) lines += name + ": " + others.join(", ") + "\r\n"
          continue
        }
        if (isAt(name, 0, "keep-alive")) continue
    }
    lines += name + ": " + value + "\r\n"
  }
  return { closes, lines }
}

const consistsOf = (text: string, set: number): boolean => {
  for (let i = 0; i < text.length; i++) {
    // A character outside of the table is `undefined` here, and is refused.
    if ((octets[text.charCodeAt(i)]! & set) === 0) return false
  }
  return true
}

/** Composes a reply of bytes to a request with this method. */
export const compose = (
  method: string,
  status: number,
  lines: string,
  body: string | Uint8Array,
  persistence: Persistence
): ReplyBytes => {
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
    // As many bytes as characters means ASCII, which is the same in Latin-1.
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

/** Composes the head of a reply whose body is written over time. */
export const pushedHead = (
  status: number,
  lines: string,
  isChunked: boolean,
  persistence: Persistence
): string =>
  statusLine(status) +
  lines +
  (isChunked ? "Transfer-Encoding: chunked\r\n" : "") +
  HttpDate.field() +
  connection[persistence] +
  "\r\n"

/** Writes a reply, with one system call if the socket takes it. */
export const write = (socket: Socket, reply: ReplyBytes): void => {
  if (typeof reply === "string") socket.write(reply, "latin1")
  else if (Buffer.isBuffer(reply)) socket.write(reply)
  else {
    socket.cork()
    socket.write(reply[0])
    socket.write(reply[1])
    socket.uncork()
  }
}
