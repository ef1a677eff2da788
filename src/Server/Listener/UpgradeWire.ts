/** A request that asks to upgrade its connection, on the wire of a socket listener. */
import type * as Http from "node:http"
import type { Socket } from "node:net"
import type { Duplex } from "node:stream"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import { type HttpServerResponse, setHeader } from "effect/http/HttpServerResponse"
import * as ReplyHeaders from "../Exchange/ReplyHeaders.ts"
import type { WebSocketUpgrade } from "../Exchange/WebSocketUpgrade.ts"
import type { BodyFailure, Tls, Wire } from "../Exchange/Wire.ts"
import { responseOf, withLines } from "../Exchange/WireReply.ts"
import { lastReplyMillis } from "./Drain.ts"
import { type Opened, type Opener, whenClosed } from "./Opener.ts"
import { headerOf, pairs } from "./RequestHeaders.ts"
import * as TlsPeer from "./TlsPeer.ts"
import type { Tracking } from "./Tracked.ts"

const nothing = Buffer.alloc(0)

/** The parts of a request that are left after its upgrade. */
type Upgraded = Pick<Http.IncomingMessage, "headers" | "httpVersion" | "rawHeaders">

/** The part of a listener that an upgrade needs. */
export interface Upgrading extends Tracking {
  readonly opener: Opener
}

/** One request, on a connection that the listener has handed over. */
export class UpgradeWire implements Wire {
  readonly #listener: Upgrading
  readonly method: string
  readonly #onClose = this.#closed.bind(this)
  #onAbort: (() => void) | undefined
  onUpgrade: (() => void) | undefined
  #opened: Opened | undefined
  readonly #release: () => void
  #rest: Buffer
  readonly #socket: Socket
  #source: Http.IncomingMessage | Upgraded
  readonly target: string

  /** `release` removes the connection from those that the listener tracks as HTTP. */
  constructor(
    source: Http.IncomingMessage,
    socket: Socket,
    rest: Buffer,
    listener: Upgrading,
    release: () => void
  ) {
    this.#listener = listener
    this.method = source.method!
    this.#release = release
    this.#rest = rest
    this.#socket = socket
    this.#source = source
    this.target = source.url!
  }

  #closed(): void {
    this.#onAbort?.()
  }

  get onAbort(): (() => void) | undefined {
    return this.#onAbort
  }

  set onAbort(abort: (() => void) | undefined) {
    if (abort !== undefined && this.#onAbort === undefined) {
      whenClosed(this.#socket, this.#onClose)
    }
    this.#onAbort = abort
  }

  get acceptsWebSocket(): boolean {
    return this.header("upgrade")?.toLowerCase() === "websocket"
  }

  get httpVersion(): string {
    return this.#source.httpVersion
  }

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress
  }

  get tls(): Tls | undefined {
    return TlsPeer.of(this.#socket)
  }

  get headers(): Iterable<readonly [string, string]> {
    return pairs(this.#source.rawHeaders)
  }

  header(name: string): string | undefined {
    return headerOf(this.#source, name)
  }

  /** The bytes after the head belong to the other protocol. */
  body(_limit: number, done: (body: BodyFailure | Uint8Array) => void): void {
    done(nothing)
  }

  load(then: () => void): void {
    this.#listener.opener.load(then)
  }

  open(): HttpServerRequest {
    // It is not upgraded yet.
    const source = this.#source as Http.IncomingMessage
    this.#opened = this.#listener.opener.openUpgrade(source, this.#socket, this.#rest, () =>
      this.onUpgrade?.()
    )
    return this.#opened.request
  }

  send(
    status: number,
    headers: Array<string>,
    body: string | Uint8Array,
    constant: ReadonlyArray<string> = []
  ): void {
    const lines = [...headers, ...constant]
    const error = ReplyHeaders.errorOf(lines)
    if (error !== undefined) throw error
    const contentType = ReplyHeaders.split(lines).named["content-type"]
    const response = withLines(responseOf(body, { contentType, status }), lines)
    this.sendResponse(response, () => {})
  }

  upgrade(upgrade: WebSocketUpgrade, headers: ReadonlyArray<string>): void {
    const rest = this.#rest
    const socket = this.#socket
    // The connection may live for days, and the objects of its request are large.
    socket.off("close", this.#onClose)
    this.#onAbort = undefined
    this.#rest = nothing
    const request = this.#source as Http.IncomingMessage
    this.#source = {
      headers: request.headers,
      httpVersion: request.httpVersion,
      rawHeaders: request.rawHeaders
    }
    const offered = { listener: this.#listener, release: this.#release, request, rest, socket }
    // It loads `ws`, which an app without WebSockets does not need.
    void import("./NodeWebSocket.ts").then(({ accept }) => accept(upgrade, headers, offered))
  }

  sendResponse(response: HttpServerResponse, done: () => void): void {
    // An upgraded connection closes after its handler; its exchange ends with the handler.
    if (response.body._tag === "Stream") whenClosed(this.#socket, done)
    else queueMicrotask(done)
    this.load(() => {
      if (this.#opened === undefined) this.open()
      // Without an upgrade this reply is sent: no parser is left for another request.
      const { connection } = response.headers
      const options = connection === undefined ? "close" : `${connection}, close`
      this.#opened!.send(setHeader(response, "connection", options))
      linger(this.#socket)
    })
  }
}

/** Destroys a connection some time after its last byte is sent, if the client keeps it open. */
const linger = (socket: Duplex): void => {
  const begin = () => {
    // With unread bytes the kernel would reset the connection, and the client would lose the reply.
    socket.resume()
    const timer = setTimeout(() => socket.destroy(), lastReplyMillis)
    socket.once("close", () => clearTimeout(timer))
  }
  if (socket.writableFinished) begin()
  else socket.once("finish", begin)
}
