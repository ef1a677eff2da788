/**
 * What `node:http` lets through and one reading of HTTP does not allow, and the
 * answers to what its parser refuses: problem documents like all others.
 */
import type * as Http from "node:http"
import type * as Net from "node:net"
import * as Effect from "effect/Effect"
import * as Respondable from "effect/http/HttpServerRespondable"
import {
  HeadersTooLarge,
  MalformedRequest,
  RequestTimeout,
  UnsupportedCoding
} from "../../../Contract/Catalogue.ts"
import * as RequestId from "../../Exchange/RequestId.ts"
import type { Connections } from "./Connections.ts"

// RFC 3986, section 3.2: what a host with its port may be made of.
const host = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=%]*|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?$/

/** Why a request that Node's parser accepted is refused; undefined for nearly all. */
export const refusal = (request: Http.IncomingMessage): Respondable.Respondable | undefined => {
  const { httpVersionMajor, httpVersionMinor, rawHeaders } = request
  if (httpVersionMajor !== 1) return malformed("The request line has no HTTP/1.x version")
  let coding: string | undefined
  let value: string | undefined
  // Not `headers`, which Node makes when it is first asked for: many requests need none of it.
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!
    if (name.length === 4 && name.toLowerCase() === "host") {
      value = value === undefined ? rawHeaders[i + 1]! : `${value},${rawHeaders[i + 1]}`
    } else if (name.length === 17 && name.toLowerCase() === "transfer-encoding") {
      coding = coding === undefined ? rawHeaders[i + 1]! : `${coding},${rawHeaders[i + 1]}`
    }
  }
  if (coding !== undefined) {
    if (httpVersionMinor === 0) return malformed("HTTP/1.0 has no Transfer-Encoding")
    if (coding.toLowerCase() !== "chunked") return new UnsupportedCoding()
  }
  if (value === undefined) {
    return httpVersionMinor === 0 ? undefined : malformed("The Host header is missing")
  }
  return !value.includes(",") && host.test(value)
    ? undefined
    : malformed("The Host header is not one host")
}

const malformed = (detail: string) =>
  new MalformedRequest({ errors: [{ detail, location: "header", pointer: "" }] })

/** Answers a refused request and closes its connection. */
export const refuse = (
  request: Http.IncomingMessage,
  reply: Http.ServerResponse,
  error: Respondable.Respondable
): void => {
  const requestId = RequestId.fromHeader(request.headers[RequestId.header]?.toString())
  const { body, status } = document(error, requestId, request.url)
  reply.writeHead(status, {
    connection: "close",
    "content-length": Buffer.byteLength(body),
    "content-type": "application/problem+json",
    [RequestId.header]: requestId
  })
  reply.end(body)
}

/** How long a client has to read the last reply and close its side, in milliseconds. */
const lingerMillis = 1000

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
  error: Respondable.Respondable,
  request: Http.IncomingMessage | undefined
) => {
  const requestId = RequestId.fromHeader(request?.headers[RequestId.header]?.toString())
  const { body, status, title } = document(error, requestId, request?.url)
  const reply = [
    `HTTP/1.1 ${status} ${title}`,
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
  setTimeout(() => socket.destroy(), lingerMillis).unref()
}

const answerTo = (error: NodeJS.ErrnoException): Respondable.Respondable => {
  switch (error.code) {
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new RequestTimeout()
    case "HPE_HEADER_OVERFLOW":
      return new HeadersTooLarge()
    default:
      return new MalformedRequest({
        errors: [{ detail: "The request is not HTTP/1.1", location: "header", pointer: "" }]
      })
  }
}

const document = (
  error: Respondable.Respondable,
  correlationId: string,
  instance: string | undefined
) => {
  // The catalogue's errors render without waiting for anything.
  const { body, status } = Effect.runSync(Respondable.toResponse(error))
  const {
    code,
    detail,
    status: _,
    title,
    type,
    ...rest
  } = JSON.parse(body._tag === "Uint8Array" ? new TextDecoder().decode(body.body) : "{}")
  return {
    body: JSON.stringify({
      type,
      title,
      status,
      detail,
      instance: instance?.split(/[?#]/, 1)[0],
      code,
      correlationId,
      ...rest
    }),
    status,
    title
  }
}
