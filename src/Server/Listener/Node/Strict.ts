/**
 * Makes `node:http` strict: refuses requests that Node's parser accepts although they have
 * more than one reading, and sends problem documents for requests that the parser refuses.
 */
import type * as Http from "node:http"
import type * as Net from "node:net"
import * as Catalogue from "../../../Contract/Catalogue.ts"
import * as Issues from "../../Exchange/Issues.ts"
import type { Serving } from "../../Exchange/Serving.ts"
import * as HeadRules from "../HeadRules.ts"
import { type Refusal, refusals, type Refused, replyTo, unread } from "../Refusal.ts"
import { hasBody, headerOf, pairs } from "../RequestHeaders.ts"
import { of } from "./Connections.ts"

/**
 * Returns why a request that Node's parser accepted is refused; undefined if it is not. Sets
 * the target of a request that has it in absolute form to its path and query.
 */
export const refusal = (request: Http.IncomingMessage): Refusal | undefined => {
  const { httpVersionMajor, httpVersionMinor, rawHeaders } = request
  // Node reads a request line without a version as HTTP/0.9.
  if (httpVersionMajor === 0) return refusals.Version
  if (httpVersionMajor > 1) return refusals.VersionUnknown
  let coding: string | undefined
  let host: string | undefined
  // Node makes `headers` when it is first read, and many requests do not need it.
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!
    if (name.length === 4 && name.toLowerCase() === "host") {
      if (host !== undefined) return refusals.RepeatedField
      host = rawHeaders[i + 1]!
    } else if (name.length === 17 && name.toLowerCase() === "transfer-encoding") {
      if (coding !== undefined) return refusals.RepeatedField
      coding = rawHeaders[i + 1]!
    }
  }
  const refusal =
    HeadRules.host(host, httpVersionMinor) ??
    (coding === undefined ? undefined : HeadRules.transferEncoding(coding, httpVersionMinor))
  if (refusal !== undefined || request.url!.charCodeAt(0) === slash) return refusal
  const target = HeadRules.target(request.url!, request.method!, host)
  if (typeof target !== "string") return target
  request.url = target
  return undefined
}

const slash = 0x2f

/**
 * Whether a request can be handed over to be upgraded. One that is refused, or has a body, is
 * an ordinary request: Node does not read the body of an upgrade.
 */
export const offersUpgrade = (request: Http.IncomingMessage): boolean =>
  refusal(request) === undefined &&
  !hasBody(request) &&
  HeadRules.offersUpgrade({
    header: (name) => headerOf(request, name),
    method: request.method!,
    minor: request.httpVersionMinor
  })

const bodyOnUpgrade = new Catalogue.NotImplemented({
  // The type of the constructor does not have `detail`, which replaces the computed one.
  detail: "This server takes no body with an upgrade"
} as {})

/** Returns why an upgrade is refused; undefined if it is not. */
export const upgradeRefusal = (request: Http.IncomingMessage): Catalogue.Any | undefined =>
  // Versions of Node without `shouldUpgradeCallback` hand every upgrade over.
  refusal(request)?.error ?? (hasBody(request) ? bodyOnUpgrade : undefined)

/** Answers a request or a connection that is refused, and closes the connection. */
export const refuseOn = (
  socket: Net.Socket,
  error: Catalogue.Any,
  serving: Serving,
  request?: Http.IncomingMessage
): void => of(socket).end(replyText(error, request, serving))

/** Answers a refused request and closes its connection. */
export const refuse = (
  request: Http.IncomingMessage,
  reply: Http.ServerResponse,
  { error }: Refusal,
  serving: Serving
): void => {
  const { body, headers } = replyTo(error, refusedOf(request), serving)
  headers.push("connection", "close", "content-length", String(Buffer.byteLength(body)))
  reply.writeHead(error.status, headers).end(body)
}

/**
 * Answers a request that Node's parser refused, after the replies to earlier requests of
 * the connection, and closes the connection. If the error is inside the body of a request,
 * that request ends too: its handler may wait for the rest forever.
 */
export const onClientError = (
  error: NodeJS.ErrnoException,
  socket: Net.Socket,
  serving: Serving
): void => {
  const connection = of(socket)
  if (connection.isStopped) return
  if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy()
  const { reading } = connection
  if (reading === undefined) {
    // After the last reply, the client would take another one for its next reply.
    return connection.isFinal ? connection.end() : refuseOn(socket, answerTo(error), serving)
  }
  const { reply, request } = reading
  if (reply === undefined || reply.writableEnded) return connection.end()
  // The client is gone, or has a part of the reply.
  if (socket.readableEnded || reply.headersSent) return void socket.destroy()
  connection.abort(request, reply)
  refuseOn(socket, answerTo(error), serving, request)
}

const refusedOf = (request: Http.IncomingMessage): Refused => ({
  header: (name) => headerOf(request, name),
  method: request.method,
  target: request.url
})

const replyText = (
  error: Catalogue.Any,
  request: Http.IncomingMessage | undefined,
  serving: Serving
): string => {
  const { body, headers } = replyTo(error, request ? refusedOf(request) : unread, serving)
  return [
    `HTTP/1.1 ${error.status} ${error.title}`,
    ...[...pairs(headers)].map(([name, value]) => `${name}: ${value}`),
    "Connection: close",
    `Content-Length: ${Buffer.byteLength(body)}`,
    `Date: ${new Date().toUTCString()}`,
    "",
    body
  ].join("\r\n")
}

const answerTo = (error: NodeJS.ErrnoException): Catalogue.Any => {
  switch (error.code) {
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return refusals.Timeout.error
    case "HPE_HEADER_OVERFLOW":
      return refusals.FieldsTooLarge.error
    default:
      return Issues.malformed("header", "The request is not HTTP/1.1")
  }
}
