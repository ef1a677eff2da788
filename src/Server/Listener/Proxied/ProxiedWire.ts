/** One request on a connection, and its reply. */
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import type { Source } from "../../Exchange/PushedBody.ts"
import type { BodyFailure, Wire } from "../../Exchange/Wire.ts"
import { Collector } from "../Collector.ts"
import { type Opened, whenClosed } from "../Opener.ts"
import type { Sink } from "./Body.ts"
import type { Bridge } from "./Bridge.ts"
import type { Head } from "./Parse/Head.ts"
import { Pushing } from "./Pushing.ts"
import { type FieldLines, fieldLines, type ReplyBytes } from "./ReplyBytes.ts"

const nothing = new Uint8Array(0)

const noLines = fieldLines([])

/** The key of the formatted lines in a route's list of constant headers. */
const linesKey = Symbol("flange/ProxiedWire/lines")

interface Prepared {
  [linesKey]?: FieldLines
}

const constantLines = (headers: Prepared & ReadonlyArray<string>): FieldLines =>
  (headers[linesKey] ??= fieldLines(headers))

/** The connection of a request. */
export interface WireOwner {
  /** Calls back once requests can be opened. */
  readonly load: (then: () => void) => void
  /** Opens the request in Effect's own server, through Node's objects. */
  readonly open: (wire: ProxiedWire) => Opened
  /** Sends a reply whose body is written over time. */
  readonly push: (wire: ProxiedWire, pushing: Pushing, status: number, lines: string) => void
  /** Reads the body, or more of it. */
  readonly read: (wire: ProxiedWire) => void
  readonly remoteAddress: string | undefined
  /** Sends a reply of bytes. */
  readonly reply: (
    wire: ProxiedWire,
    status: number,
    lines: string,
    body: string | Uint8Array
  ) => void
}

/** A request in the queue of its connection. */
export class ProxiedWire implements Wire {
  /** Node's objects; undefined until the request is opened. */
  bridge: Bridge | undefined
  /** Whether the connection ends after its reply. */
  closes: boolean
  readonly #connection: WireOwner
  /** Whether the client was told to send the body. */
  continued = false
  readonly head: Head
  isAnswered = false
  // A proxy in front ends TLS.
  readonly method: string
  /** The next request in the queue. */
  next: ProxiedWire | undefined
  #onAbort: (() => void) | undefined
  #opened: Opened | undefined
  /** The body that is written over time, if the reply has one. */
  pushing: Pushing | undefined
  /** The reply, until it can be sent. */
  replyBytes: ReplyBytes | undefined
  /** The reader of the body; undefined until code reads the body. */
  sink: Sink | undefined
  readonly target: string

  constructor(connection: WireOwner, head: Head) {
    this.closes = !head.keepAlive
    this.#connection = connection
    this.head = head
    this.method = head.method
    this.target = head.target
  }

  get onAbort(): (() => void) | undefined {
    return this.#onAbort
  }

  set onAbort(abort: (() => void) | undefined) {
    this.#onAbort = abort
    // The client went away before.
    if (abort !== undefined && this.isAnswered) queueMicrotask(() => this.#onAbort?.())
  }

  get httpVersion(): string {
    return this.head.minor === 1 ? "1.1" : "1.0"
  }

  get remoteAddress(): string | undefined {
    return this.#connection.remoteAddress
  }

  get headers(): Iterable<readonly [string, string]> {
    return this.head.entries()
  }

  header(name: string): string | undefined {
    return this.head.header(name)
  }

  body(limit: number, done: (body: BodyFailure | Uint8Array) => void): void {
    const { contentLength, hasBody } = this.head
    if (!hasBody) return done(nothing)
    if (this.isAnswered) return done("Aborted")
    if (contentLength > limit) return done("TooLarge")
    this.sink = new Collector(limit, (body) => {
      if (typeof body === "string") this.closes = true
      done(body)
    })
    this.#connection.read(this)
  }

  /** Throws a `TypeError` if a field cannot be written; then nothing is sent. */
  send(
    status: number,
    headers: Array<string>,
    body: string | Uint8Array,
    constant?: ReadonlyArray<string>
  ): void {
    if (this.isAnswered) return
    const own = fieldLines(headers)
    const more = constant === undefined ? noLines : constantLines(constant)
    if (own.closes || more.closes) this.closes = true
    this.#connection.reply(this, status, own.lines + more.lines, body)
  }

  load(then: () => void): void {
    this.#connection.load(then)
  }

  open(): HttpServerRequest {
    this.#opened = this.#connection.open(this)
    // If the client went away before, nothing else ends the opened request.
    if (this.isAnswered) this.bridge!.abort()
    return this.#opened.request
  }

  push(status: number, headers: Array<string>, source: Source, done: () => void): void {
    const pushing = new Pushing(source, done)
    if (this.isAnswered) return pushing.closed()
    const { closes, lines } = fieldLines(headers)
    if (closes) this.closes = true
    this.#connection.push(this, pushing, status, lines)
  }

  sendResponse(response: HttpServerResponse, done: () => void): void {
    this.load(() => {
      // The client may have gone away.
      if (this.isAnswered) return queueMicrotask(done)
      if (this.#opened === undefined) this.open()
      whenClosed(this.bridge!.reply, done)
      this.#opened!.send(response)
    })
  }
}
