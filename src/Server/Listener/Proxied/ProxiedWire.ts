/** One request on a connection, and its reply. */
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import type { BodyFailure, Wire } from "../../Exchange/Wire.ts"
import { replyOf } from "../../Exchange/WireReply.ts"
import { Collector, type Sink } from "./Body.ts"
import type { Bridge } from "./Bridge.ts"
import type { Head } from "./Head.ts"
import { type FieldLines, fieldLines, type Payload } from "./Reply.ts"

const nothing = new Uint8Array(0)

const noLines = fieldLines([])

const known = new WeakMap<ReadonlyArray<string>, FieldLines>()

/** The lines of a list that comes again. */
const constantLines = (headers: ReadonlyArray<string>): FieldLines => {
  const found = known.get(headers)
  if (found !== undefined) return found
  const made = fieldLines(headers)
  known.set(headers, made)
  return made
}

/** What an exchange asks of its connection. */
export interface Owner {
  /** Answers through Node's own objects. */
  readonly bridge: (exchange: Exchange, response: HttpServerResponse | undefined) => void
  /** Reads the body, or reads it on. */
  readonly read: (exchange: Exchange) => void
  readonly remoteAddress: string | undefined
  /** Sends a reply by length. */
  readonly reply: (
    exchange: Exchange,
    status: number,
    lines: string,
    body: string | Uint8Array
  ) => void
}

/** A request in the queue of its connection. */
export class Exchange implements Wire {
  /** Node's objects for it, on the general lane. */
  bridge: Bridge | undefined
  /** Whether the connection ends after its reply. */
  closes: boolean
  readonly #connection: Owner
  /** Whether the client was told to send the body. */
  continued = false
  readonly head: Head
  isAnswered = false
  readonly method: string
  /** The request after it. */
  next: Exchange | undefined
  onAbort: (() => void) | undefined
  /** Its reply, while earlier ones are not sent. */
  payload: Payload | undefined
  /** Where its body goes, once somebody asked for it. */
  sink: Sink | undefined
  readonly target: string

  constructor(connection: Owner, head: Head) {
    this.closes = !head.keepAlive
    this.#connection = connection
    this.head = head
    this.method = head.method
    this.target = head.target
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
    if (contentLength > limit) return done("TooLarge")
    this.sink = new Collector(limit, (body) => {
      if (typeof body === "string") this.closes = true
      done(body)
    })
    this.#connection.read(this)
  }

  /** Throws a `TypeError` where a field cannot be written; then nothing is sent. */
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

  sendResponse(response: HttpServerResponse): void {
    if (this.isAnswered) return
    const reply = replyOf(response)
    if (reply === undefined) this.#connection.bridge(this, response)
    else this.send(response.status, reply.headers, reply.body)
  }
}
