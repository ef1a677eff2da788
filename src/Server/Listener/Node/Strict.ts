/**
 * What `node:http` lets through and one reading of HTTP does not allow, and the
 * answers to what its parser refuses: problem documents like all others.
 */
import type * as Http from "node:http"
import type * as Net from "node:net"
import * as Catalogue from "../../../Contract/Catalogue.ts"
import * as Problem from "../../Exchange/Problem.ts"
import * as RequestId from "../../Exchange/RequestId.ts"
import { lastReplyMillis } from "../Drain.ts"
import * as HeadRules from "../HeadRules.ts"
import { type Refusal, refusals } from "../Refusal.ts"
import type { Connections } from "./Connections.ts"

/** Returns why a request that Node's parser accepted is refused; undefined for nearly all. */
export const refusal = (request: Http.IncomingMessage): Refusal | undefined => {
  const { httpVersionMajor, httpVersionMinor, rawHeaders } = request
  // Node reads a request line without a version as HTTP/0.9.
  if (httpVersionMajor === 0) return refusals.Version
  if (httpVersionMajor > 1) return refusals.VersionUnknown
  let coding: string | undefined
  let host: string | undefined
  // Not `headers`, which Node makes when it is first asked for: many requests need none of it.
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
  return (
    HeadRules.host(host, httpVersionMinor) ??
    (coding === undefined ? undefined : HeadRules.transferEncoding(coding, httpVersionMinor))
  )
}

/**
 * Whether a request offers to speak another protocol. HTTP/2 over cleartext is no longer
 * negotiated so: RFC 9113, section 3.1. A request with a body is served as any other,
 * because Node does not read the body of an upgrade.
 */
export const offersUpgrade = ({ headers }: Http.IncomingMessage): boolean =>
  !hasBody(headers) && !/\bh2c\b/i.test(headers.upgrade ?? "")

const hasBody = (headers: Http.IncomingHttpHeaders): boolean =>
  headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) !== 0

const bodyOnUpgrade = new Catalogue.NotImplemented({
  // An error that is given its detail keeps it.
  detail: "This server takes no body with an upgrade"
} as {})

/** Returns why an upgrade is refused; undefined for nearly all. */
export const upgradeRefusal = (request: Http.IncomingMessage): Catalogue.Any | undefined =>
  // Versions of Node without `shouldUpgradeCallback` hand every upgrade over.
  refusal(request)?.error ?? (hasBody(request.headers) ? bodyOnUpgrade : undefined)

/** Answers a refused upgrade and closes its connection. */
export const refuseUpgrade = (
  request: Http.IncomingMessage,
  socket: Net.Socket,
  error: Catalogue.Any
): void => end(socket, error, request)

/** Answers a refused request and closes its connection. */
export const refuse = (
  request: Http.IncomingMessage,
  reply: Http.ServerResponse,
  { error }: Refusal
): void => {
  const requestId = RequestId.fromHeader(request.headers[RequestId.header]?.toString())
  const body = Problem.toText(Problem.document(error, { requestId, target: request.url }))
  reply.writeHead(error.status, {
    connection: "close",
    "content-length": Buffer.byteLength(body),
    "content-type": "application/problem+json",
    [RequestId.header]: requestId
  })
  reply.end(body)
}

/**
 * Answers what Node's parser refused, as soon as the replies to earlier requests
 * of the connection are out, and closes it. What breaks within the body of a
 * request ends that request too: its handler may wait for the rest forever.
 */
export const onClientError = (
  error: NodeJS.ErrnoException,
  socket: Net.Socket,
  connections: Connections
): void => {
  if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy()
  const reading = connections.reading(socket)
  if (reading === undefined) {
    return connections.afterReplies(socket, () => end(socket, answerTo(error), undefined))
  }
  const { reply, request } = reading
  // The client has gone, or has its reply: another would answer a request that nobody sent.
  if (socket.readableEnded || reply === undefined || reply.headersSent) {
    return void socket.destroy()
  }
  connections.afterOthers(socket, () => end(socket, answerTo(error), request))
}

const end = (
  socket: Net.Socket,
  error: Catalogue.Any,
  request: Http.IncomingMessage | undefined
) => {
  const requestId = RequestId.fromHeader(request?.headers[RequestId.header]?.toString())
  const body = Problem.toText(Problem.document(error, { requestId, target: request?.url }))
  const reply = [
    `HTTP/1.1 ${error.status} ${error.title}`,
    "Connection: close",
    "Content-Type: application/problem+json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    `Date: ${new Date().toUTCString()}`,
    `X-Request-Id: ${requestId}`,
    "",
    body
  ].join("\r\n")
  socket.end(reply)
  // Also ends the handlers of requests that will never be whole.
  setTimeout(() => socket.destroy(), lastReplyMillis).unref()
}

const answerTo = (error: NodeJS.ErrnoException): Catalogue.Any => {
  switch (error.code) {
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return refusals.Timeout.error
    case "HPE_HEADER_OVERFLOW":
      return refusals.FieldsTooLarge.error
    default:
      return Problem.malformed("header", "The request is not HTTP/1.1")
  }
}
