/**
 * Makes `node:http` strict: refuses requests that Node's parser accepts although they have
 * more than one reading, and sends problem documents for requests that the parser refuses.
 */
import type * as Http from "node:http"
import type * as Net from "node:net"
import * as Catalogue from "../../../Contract/Catalogue.ts"
import * as Issues from "../../Exchange/Issues.ts"
import type { Serving } from "../../Exchange/Serving.ts"
import { lastReplyMillis } from "../Drain.ts"
import * as HeadRules from "../HeadRules.ts"
import {
  type Refusal,
  refusals,
  type Refused,
  replyTo,
  tooManyConnections,
  unread
} from "../Refusal.ts"
import { headerOf, pairs } from "../RequestHeaders.ts"
import type { Connections } from "./Connections.ts"

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
  !hasBody(request.headers) &&
  HeadRules.offersUpgrade({
    header: (name) => headerOf(request, name),
    method: request.method!,
    minor: request.httpVersionMinor
  })

const hasBody = (headers: Http.IncomingHttpHeaders): boolean =>
  headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) !== 0

const bodyOnUpgrade = new Catalogue.NotImplemented({
  // The type of the constructor does not have `detail`, which replaces the computed one.
  detail: "This server takes no body with an upgrade"
} as {})

/** Returns why an upgrade is refused; undefined if it is not. */
export const upgradeRefusal = (request: Http.IncomingMessage): Catalogue.Any | undefined =>
  // Versions of Node without `shouldUpgradeCallback` hand every upgrade over.
  refusal(request)?.error ?? (hasBody(request.headers) ? bodyOnUpgrade : undefined)

/** Answers a refused upgrade and closes its connection. */
export const refuseUpgrade = (
  request: Http.IncomingMessage,
  socket: Net.Socket,
  error: Catalogue.Any,
  serving: Serving
): void => end(socket, error, request, serving)

/** Answers a connection that is one too many, and closes it. */
export const refuseConnection = (socket: Net.Socket, serving: Serving): void =>
  end(socket, tooManyConnections, undefined, serving)

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
  connections: Connections,
  serving: Serving
): void => {
  if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy()
  const reading = connections.reading(socket)
  if (reading === undefined) {
    return connections.awaitReplies(socket, () => end(socket, answerTo(error), undefined, serving))
  }
  const { reply, request } = reading
  // The client is gone, or has its reply and would take another one for its next reply.
  if (socket.readableEnded || reply === undefined || reply.headersSent) {
    return void socket.destroy()
  }
  connections.awaitOthers(socket, () => end(socket, answerTo(error), request, serving))
}

const refusedOf = (request: Http.IncomingMessage): Refused => ({
  header: (name) => headerOf(request, name),
  method: request.method,
  target: request.url
})

const end = (
  socket: Net.Socket,
  error: Catalogue.Any,
  request: Http.IncomingMessage | undefined,
  serving: Serving
) => {
  const { body, headers } = replyTo(error, request ? refusedOf(request) : unread, serving)
  const reply = [
    `HTTP/1.1 ${error.status} ${error.title}`,
    ...[...pairs(headers)].map(([name, value]) => `${name}: ${value}`),
    "Connection: close",
    `Content-Length: ${Buffer.byteLength(body)}`,
    `Date: ${new Date().toUTCString()}`,
    "",
    body
  ].join("\r\n")
  socket.end(reply)
  // It also ends the handlers that wait for a body.
  setTimeout(() => socket.destroy(), lastReplyMillis).unref()
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
