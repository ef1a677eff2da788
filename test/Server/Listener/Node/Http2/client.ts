/** A client of HTTP/2 for tests, on `node:http2`. */
import * as Http2 from "node:http2"

/** What came for a request. */
export interface Received {
  /** The code with which the stream was closed. */
  readonly code: number
  readonly headers: Http2.IncomingHttpHeaders & Http2.IncomingHttpStatusHeader
  readonly text: string
}

/** Sends requests on one connection. */
export class Client {
  readonly session: Http2.ClientHttp2Session

  constructor(url: string, options: Http2.SecureClientSessionOptions = {}) {
    this.session = Http2.connect(url, { rejectUnauthorized: false, ...options })
    // A server may end the connection; the streams have the error too.
    this.session.on("error", () => {})
  }

  close(): void {
    this.session.destroy()
  }

  /** Begins a request. */
  begin(
    path: string,
    headers: Http2.OutgoingHttpHeaders = {},
    options: Http2.ClientSessionRequestOptions = {}
  ): Http2.ClientHttp2Stream {
    const stream = this.session.request({ ":path": path, ...headers }, options)
    stream.on("error", () => {})
    return stream
  }

  /** Sends a request and reads its reply until the stream is closed. */
  request(
    path: string,
    headers: Http2.OutgoingHttpHeaders = {},
    body?: string | Uint8Array
  ): Promise<Received> {
    const stream = this.begin(path, headers)
    stream.end(body)
    return received(stream)
  }
}

/** Reads the reply of a request until its stream is closed. */
export const received = (stream: Http2.ClientHttp2Stream): Promise<Received> =>
  new Promise((resolve) => {
    let headers: Received["headers"] = {}
    let text = ""
    stream.setEncoding("utf8")
    stream.on("response", (got) => {
      headers = got
    })
    stream.on("data", (piece: string) => {
      text += piece
    })
    stream.on("close", () => resolve({ code: stream.rstCode, headers, text }))
  })
