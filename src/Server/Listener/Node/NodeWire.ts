/** A request of `node:http` on the wire. */
import type * as Http from "node:http"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import { type HttpServerResponse, setHeader } from "effect/http/HttpServerResponse"
import type { Source } from "../../Exchange/PushedBody.ts"
import * as Semantics from "../../Exchange/Semantics.ts"
import type { BodyFailure, Tls, Wire } from "../../Exchange/Wire.ts"
import { Collector } from "../Collector.ts"
import { type Opened, type Opener, whenClosed } from "../Opener.ts"
import { headerOf, pairs } from "../RequestHeaders.ts"
import * as TlsPeer from "../TlsPeer.ts"
import { NodeSink } from "./NodeSink.ts"
import type { Reply } from "./Reply.ts"

/** One request, over Node's own objects. */
export class NodeWire implements Wire {
  readonly method: string
  #onAbort: (() => void) | undefined
  #opened: Opened | undefined
  readonly #opener: Opener
  readonly #reply: Reply
  readonly #source: Http.IncomingMessage
  readonly target: string

  constructor(source: Http.IncomingMessage, reply: Reply, opener: Opener) {
    this.method = source.method!
    this.#opener = opener
    this.#reply = reply
    this.#source = source
    this.target = source.url!
  }

  get onAbort(): (() => void) | undefined {
    return this.#onAbort
  }

  set onAbort(abort: (() => void) | undefined) {
    if (abort !== undefined && this.#onAbort === undefined) {
      whenClosed(this.#reply, () => {
        if (!this.#reply.writableEnded) this.#onAbort?.()
      })
    }
    this.#onAbort = abort
  }

  get httpVersion(): string {
    return this.#source.httpVersion
  }

  get remoteAddress(): string | undefined {
    return this.#source.socket.remoteAddress
  }

  get tls(): Tls | undefined {
    return TlsPeer.of(this.#source.socket)
  }

  get headers(): Iterable<readonly [string, string]> {
    return pairs(this.#source.rawHeaders)
  }

  header(name: string): string | undefined {
    return headerOf(this.#source, name)
  }

  body(limit: number, done: (body: BodyFailure | Uint8Array) => void): void {
    const source = this.#source
    // The client has gone away if the source is closed before its end.
    if (source.closed) return done("Aborted")
    if (Number(this.header("content-length")) > limit) return done("TooLarge")
    const collector = new Collector(limit, (body) => {
      if (typeof body === "string") {
        // The connection reads the rest, within bounds.
        source.pause()
        // Node's parser pushes each piece that was read already. There may be thousands.
        source.push = refuse
        if (!this.#reply.headersSent) this.#reply.setHeader("connection", "close")
      }
      done(body)
    })
    const abort = () => collector.fail("Aborted")
    source.on("data", (piece: Buffer) => collector.data(piece))
    source.once("end", () => collector.end())
    source.once("close", abort)
    source.on("error", abort)
  }

  load(then: () => void): void {
    this.#opener.load(then)
  }

  open(): HttpServerRequest {
    this.#opened = this.#opener.open(this.#source, this.#reply)
    return this.#opened.request
  }

  /** Whether the connection ends with the reply. Node keeps it if the reply has other options only. */
  get #closes(): boolean {
    return !this.#reply.shouldKeepAlive || this.#reply.getHeader("connection") === "close"
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
    if (this.#closes) addClose(headers)
    if (Semantics.bodyOf(this.method, status) === "nothing") {
      reply.writeHead(status, headers).end()
    } else {
      const length = typeof body === "string" ? Buffer.byteLength(body) : body.length
      headers.push("content-length", String(length))
      reply.writeHead(status, headers)
      // As many bytes as characters means ASCII, which Node writes faster as Latin-1.
      if (length === body.length) reply.end(body, "latin1")
      else reply.end(body)
    }
  }

  push(status: number, headers: Array<string>, source: Source, done: () => void): void {
    const reply = this.#reply
    if (reply.closed) {
      source.closed()
      return queueMicrotask(done)
    }
    reply.on("close", () => {
      source.closed()
      done()
    })
    if (reply.destroyed) return
    if (this.#closes) addClose(headers)
    reply.writeHead(status, headers)
    source.start(new NodeSink(reply))
    reply.forgetHead()
  }

  sendResponse(response: HttpServerResponse, done: () => void): void {
    whenClosed(this.#reply, done)
    this.load(() => {
      if (this.#opened === undefined) this.open()
      const { connection } = response.headers
      this.#opened!.send(
        connection !== undefined && this.#closes
          ? setHeader(response, "connection", closing(connection))
          : response
      )
    })
  }
}

const refuse = () => false

/** Returns the options of a connection with `close`. */
const closing = (options: string): string =>
  Semantics.elements(options).includes("close") ? options : `${options}, close`

/** Adds `close` to the options of the connection, if a reply has any. */
const addClose = (headers: Array<string>): void => {
  const at = headers.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === "connection")
  if (at !== -1) headers[at + 1] = closing(headers[at + 1]!)
}
