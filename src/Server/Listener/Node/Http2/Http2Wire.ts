/** A request of an HTTP/2 stream on the wire. */
import type { ServerHttp2Stream } from "node:http2"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import type { Source } from "../../../Exchange/PushedBody.ts"
import * as Semantics from "../../../Exchange/Semantics.ts"
import type { BodyFailure, Tls, Wire } from "../../../Exchange/Wire.ts"
import { Collector } from "../../Collector.ts"
import type { Opened, Opener } from "../../Opener.ts"
import * as Fields from "./Fields.ts"
import type { Head } from "./Head.ts"
import { Http2Sink } from "./Http2Sink.ts"
import * as NodeObjects from "./NodeObjects.ts"
import * as Pieces from "./Pieces.ts"

const nothing = new Uint8Array(0)

/** The error codes that the listener sends. Source: RFC 9113, section 7. */
export const codes = { cancel: 8, enhanceYourCalm: 11, noError: 0 } as const

/** The limits of each request; times are in milliseconds. */
export interface Limits {
  /** Longest time until the whole request has arrived. */
  readonly requestTimeout: number
  /** Longest time without progress of the reply. */
  readonly writeTimeout: number
}

/** The connection of a request. */
export interface Owner {
  /** Called when the stream of a request is closed, with its code. */
  readonly ended: (wire: Http2Wire, code: number) => void
  readonly opener: Opener
  readonly remoteAddress: string | undefined
  readonly tls: Tls | undefined
}

/** One request, over a stream of `node:http2`. */
export class Http2Wire implements Wire {
  #collector: Collector | undefined
  readonly #head: Head
  /** Whether the stream has ended, by its reply or by the client. */
  #isGone = false
  #isReplied = false
  readonly method: string
  #onAbort: (() => void) | undefined
  #onGone: (() => void) | undefined
  #opened: Opened | undefined
  readonly #owner: Owner
  /** Removes it from the open requests of its connection. */
  leave: (() => void) | undefined
  readonly #start = performance.now()
  /** How many bytes of the reply waited at the last look. */
  #waiting = 0
  /** Since when that many bytes wait. */
  #waitingSince = 0
  readonly #stream: ServerHttp2Stream
  readonly target: string

  constructor(stream: ServerHttp2Stream, head: Head, owner: Owner) {
    this.#head = head
    this.method = head.method
    this.#owner = owner
    this.#stream = stream
    this.target = head.target ?? "*"
  }

  get headers(): Iterable<readonly [string, string]> {
    return this.#head.entries()
  }

  get httpVersion(): string {
    return "2"
  }

  get onAbort(): (() => void) | undefined {
    return this.#onAbort
  }

  set onAbort(abort: (() => void) | undefined) {
    this.#onAbort = abort
    // The client went away before.
    if (abort !== undefined && this.#isGone) queueMicrotask(() => this.#onAbort?.())
  }

  get remoteAddress(): string | undefined {
    return this.#owner.remoteAddress
  }

  get tls(): Tls | undefined {
    return this.#owner.tls
  }

  header(name: string): string | undefined {
    return this.#head.header(name)
  }

  body(limit: number, done: (body: BodyFailure | Uint8Array) => void): void {
    const stream = this.#stream
    if (stream.endAfterHeaders) return done(nothing)
    if (this.#isGone) return done("Aborted")
    // An empty body ends without a reader, and the stream does not tell it again.
    if (stream.readableEnded) return done(nothing)
    if (Number(this.header("content-length")) > limit) return done("TooLarge")
    const collector = new Collector(limit, (body) => {
      // The rest of the body then waits at the client, until its stream is closed.
      if (typeof body === "string") stream.pause()
      done(body)
    })
    this.#collector = collector
    this.#proceed()
    stream.on("data", (piece: Buffer) => collector.data(piece))
    stream.once("end", () => {
      // The stream of a client that has cancelled its request ends too.
      if (this.#isGone || stream.aborted || stream.rstCode !== codes.noError) {
        collector.fail("Aborted")
      } else collector.end()
    })
  }

  /** Lets a client send its body that waits for this. Source: RFC 9110, section 10.1.1. */
  #proceed(): void {
    const stream = this.#stream
    if (this.header("expect") === undefined || stream.headersSent || stream.endAfterHeaders) return
    stream.additionalHeaders({ ":status": 100 })
  }

  load(then: () => void): void {
    this.#owner.opener.load(then)
  }

  open(): HttpServerRequest {
    const { reply, request } = NodeObjects.make(this.#stream, this.#head, () => {
      if (!this.#isGone) this.#proceed()
    })
    // Effect's server takes the objects of `node:http2` too.
    const objects = { reply, request } as unknown as {
      readonly reply: Parameters<Opener["open"]>[1]
      readonly request: Parameters<Opener["open"]>[0]
    }
    this.#opened = this.#owner.opener.open(objects.request, objects.reply)
    return this.#opened.request
  }

  send(
    status: number,
    headers: ReadonlyArray<string>,
    body: string | Uint8Array,
    constant: ReadonlyArray<string> = []
  ): void {
    const fields = Fields.make(status, headers, constant)
    if (this.#isGone || this.#stream.closed) return
    const stream = this.#stream
    const sent = Semantics.bodyOf(this.method, status)
    const length = typeof body === "string" ? Buffer.byteLength(body) : body.length
    if (sent !== "nothing") fields.push("content-length", String(length))
    this.#isReplied = true
    if (sent !== "body" || length === 0) stream.respond(fields, { endStream: true })
    else {
      stream.respond(fields)
      if (Pieces.isLong(body)) {
        Pieces.write(stream, body)
        stream.end()
      }
      // As many bytes as characters means ASCII, which Node writes faster as Latin-1.
      else if (length === body.length) stream.end(body, "latin1")
      else stream.end(body)
    }
    this.#endBody()
  }

  /** Ends the stream after its reply: the client need not send the rest of a body that nobody reads. */
  #endBody(): void {
    const stream = this.#stream
    if (stream.endAfterHeaders || stream.readableEnded) return
    const end = () => {
      stream.close(codes.noError)
      // Bytes that nobody reads would keep the stream open.
      stream.resume()
    }
    if (stream.writableFinished) end()
    else stream.once("finish", end)
  }

  push(status: number, headers: ReadonlyArray<string>, source: Source, done: () => void): void {
    const stream = this.#stream
    const fields = Fields.make(status, headers, [])
    if (this.#isGone || stream.closed) {
      source.closed()
      return queueMicrotask(done)
    }
    this.#isReplied = true
    const onGone = () => {
      source.closed()
      done()
    }
    this.#onGone = onGone
    stream.respond(fields)
    source.start(new Http2Sink(stream))
    this.#endBody()
  }

  sendResponse(response: HttpServerResponse, done: () => void): void {
    this.load(() => {
      if (this.#isGone) return queueMicrotask(done)
      this.#onGone = done
      if (this.#opened === undefined) this.open()
      this.#isReplied = true
      this.#endBody()
      this.#opened!.send(response)
    })
  }

  /** Records that the client has cancelled the request, or that its stream is closed. */
  gone(): void {
    if (this.#isGone) return
    this.#isGone = true
    this.#collector?.fail("Aborted")
    if (!this.#isReplied) this.#onAbort?.()
    this.#onGone?.()
  }

  /** Records that its stream is closed, with this code. */
  closed(code: number): void {
    this.gone()
    this.#owner.ended(this, code)
  }

  /** Whether its client sends the request, or reads the reply, too slowly. Call it at intervals. */
  isOverdue(now: number, { requestTimeout, writeTimeout }: Limits): boolean {
    const stream = this.#stream
    if (!stream.endAfterHeaders && !stream.readableEnded && now - this.#start >= requestTimeout) {
      return true
    }
    const { writableLength: length } = stream
    if (length === 0 || length !== this.#waiting) {
      this.#waiting = length
      this.#waitingSince = now
      return false
    }
    return now - this.#waitingSince >= writeTimeout
  }

  /**
   * Whether the client has ended the stream without an error before its reply was written, if all bytes of
   * the connection are sent. Node waits for the end of the write, which never comes.
   */
  get isAbandoned(): boolean {
    return this.#stream.closed && !this.#stream.writableFinished
  }

  /** Releases the stream that its client has ended. */
  release(): void {
    this.#stream.destroy()
  }

  /** Ends the stream at once. */
  cut(): void {
    this.#stream.close(codes.cancel)
  }
}
