import type * as Http from "node:http"
/** A request of `node:http` on the compiled lane. */
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import type { BodyFailure, Wire } from "../../Exchange/Wire.ts"
import { replyOf } from "../../Exchange/WireReply.ts"

/** Answers with a reply that is not bytes: a stream, a file. */
export type SendOther = (
  request: Http.IncomingMessage,
  reply: Http.ServerResponse,
  response: HttpServerResponse
) => void

/** One request, over Node's own objects. */
export class NodeWire implements Wire {
  readonly method: string
  #onAbort: (() => void) | undefined
  readonly #reply: Http.ServerResponse
  readonly #sendOther: SendOther
  readonly #source: Http.IncomingMessage
  readonly target: string

  constructor(source: Http.IncomingMessage, reply: Http.ServerResponse, sendOther: SendOther) {
    this.method = source.method!
    this.#reply = reply
    this.#sendOther = sendOther
    this.#source = source
    this.target = source.url!
  }

  get onAbort(): (() => void) | undefined {
    return this.#onAbort
  }

  set onAbort(abort: (() => void) | undefined) {
    if (abort !== undefined && this.#onAbort === undefined) {
      this.#reply.once("close", () => {
        if (!this.#reply.writableEnded) this.#onAbort?.()
      })
    }
    this.#onAbort = abort
  }

  get remoteAddress(): string | undefined {
    return this.#source.socket.remoteAddress
  }

  get headers(): Iterable<readonly [string, string]> {
    return pairs(this.#source.rawHeaders)
  }

  header(name: string): string | undefined {
    const value = this.#source.headers[name]
    return typeof value === "object" ? value.join(", ") : value
  }

  body(limit: number, done: (body: BodyFailure | Uint8Array) => void): void {
    const source = this.#source
    const chunks: Array<Buffer> = []
    let isDone = false
    let length = 0
    const end = (result: BodyFailure | Uint8Array) => {
      if (isDone) return
      isDone = true
      done(result)
    }
    const abort = () => end("Aborted")
    source.on("data", (chunk: Buffer) => {
      if (isDone) return
      length += chunk.length
      if (length > limit) {
        // What is still coming is thrown away with the connection.
        if (!this.#reply.headersSent) this.#reply.setHeader("connection", "close")
        return end("TooLarge")
      }
      chunks.push(chunk)
    })
    source.once("end", () => end(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, length)))
    source.once("close", abort)
    source.on("error", abort)
  }

  send(
    status: number,
    headers: Array<string>,
    body: string | Uint8Array,
    constant: ReadonlyArray<string> = []
  ): void {
    const reply = this.#reply
    if (reply.destroyed) return
    for (const part of constant) headers.push(part)
    if (status === 204 || status === 304) {
      reply.writeHead(status, headers).end()
    } else {
      const length = typeof body === "string" ? Buffer.byteLength(body) : body.length
      headers.push("content-length", String(length))
      reply.writeHead(status, headers)
      // As many bytes as characters: all ASCII, which is written faster as Latin-1.
      if (length === body.length) reply.end(body, "latin1")
      else reply.end(body)
    }
  }

  sendResponse(response: HttpServerResponse): void {
    const reply = replyOf(response)
    if (reply === undefined) this.#sendOther(this.#source, this.#reply, response)
    else this.send(response.status, reply.headers, reply.body)
  }
}

function* pairs(raw: ReadonlyArray<string>): Generator<readonly [string, string]> {
  for (let i = 0; i < raw.length; i += 2) yield [raw[i]!, raw[i + 1]!]
}
