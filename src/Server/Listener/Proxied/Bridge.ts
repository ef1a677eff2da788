/** Node's request and reply objects over a connection of this listener, for Effect's own server. */
import type { Socket } from "node:net"
import type { BodyFailure } from "../../Exchange/Wire.ts"
import { keepWithoutLength } from "../KeepAlive.ts"
import type { Sink } from "./Body.ts"
import type { Head } from "./Parse/Head.ts"

// The import statement would also evaluate the module's lazy parts.
const http = process.getBuiltinModule("node:http")

/** The members of a request that Node's parser uses. */
interface NodeRequestInternals {
  readonly _addHeaderLines: (lines: ReadonlyArray<string>, count: number) => void
  joinDuplicateHeaders: boolean
}

/** A request whose body the connection pushes. */
export class BridgedRequest extends http.IncomingMessage {
  #onRead: (() => void) | undefined
  #isRefused = false

  constructor(socket: Socket, head: Head, onRead: (() => void) | undefined) {
    super(socket)
    this.httpVersion = `1.${head.minor}`
    this.httpVersionMajor = 1
    this.httpVersionMinor = head.minor
    this.method = head.method
    const raw = head.rawHeaders()
    const lines = this as unknown as NodeRequestInternals
    lines.joinDuplicateHeaders = true
    // Node builds `headers` from the lines that it counts here.
    lines._addHeaderLines(raw, raw.length)
    this.url = head.target
    this.#onRead = onRead
    if (onRead === undefined) this.finish()
  }

  /** Ends the body. */
  finish(): void {
    this.complete = true
    this.#onRead = undefined
    this.push(null)
  }

  /** Fails the body. Unlike `destroy`, it does not close the connection. */
  refuse(error: Error): void {
    this.#isRefused = true
    this.#onRead = undefined
    this.destroy(error)
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.#isRefused) return super._destroy(error, callback)
    // As Node does: an error without a listener is dropped.
    process.nextTick(() => callback(this.listenerCount("error") > 0 ? error : null))
  }

  override _read(size: number): void {
    super._read(size)
    this.#onRead?.()
  }
}

/** The private members of Node's reply that are used here. */
interface NodeReplyInternals {
  _closed: boolean
  readonly _last: boolean
}

/** A reply that sets `Connection` when its head is written. */
export class BridgedReply extends http.ServerResponse<BridgedRequest> {
  readonly #closes: () => boolean
  #isClosed = false

  constructor(request: BridgedRequest, closes: () => boolean) {
    super(request)
    this.shouldKeepAlive = true
    this.#closes = closes
  }

  /** Whether its head announces the end of the connection. */
  get isLast(): boolean {
    return (this as unknown as NodeReplyInternals)._last
  }

  /** Emits `close`, as the end of a socket does. */
  close(): void {
    if (this.#isClosed || this.closed) return
    this.#isClosed = true
    this.destroyed = true
    // Node sets it when the socket closes, and this reply may not have a socket.
    ;(this as unknown as NodeReplyInternals)._closed = true
    this.emit("close")
  }

  override writeHead(status: number, ...rest: ReadonlyArray<unknown>): this {
    if (!this.headersSent) {
      if (this.#closes()) this.shouldKeepAlive = false
      // An HTTP/1.1 connection stays open without the header.
      else if (this.req.httpVersionMinor === 1) this.removeHeader("connection")
      else keepWithoutLength(this, status)
    }
    // The parameters are those of the overridden method, which has overloads.
    return super.writeHead(status, ...(rest as []))
  }
}

/** The callbacks of a bridge. */
export interface Hooks {
  /** Returns whether the connection ends after the reply. Called before the head is written. */
  readonly closes: () => boolean
  /** Called when the reply is written. */
  readonly onFinish: () => void
  /** Called to read more of the body; undefined if the body has been read or there is none. */
  readonly onRead: (() => void) | undefined
}

/** Node's objects of a request and its reply. */
export class Bridge implements Sink {
  readonly #hooks: Hooks
  isFull = true
  readonly reply: BridgedReply
  readonly request: BridgedRequest

  constructor(socket: Socket, head: Head, hooks: Hooks) {
    const { onRead } = hooks
    this.#hooks = hooks
    this.request = new BridgedRequest(
      socket,
      head,
      onRead &&
        (() => {
          this.isFull = false
          onRead()
        })
    )
    this.reply = new BridgedReply(this.request, hooks.closes)
    this.reply.shouldKeepAlive = head.keepAlive
  }

  /**
   * Listens for the end of the reply. Call it after Effect's server has added its own
   * listeners.
   */
  watch(): void {
    this.reply.on("finish", () => {
      this.#hooks.onFinish()
      process.nextTick(() => this.reply.close())
    })
  }

  data(bytes: Buffer): void {
    if (!this.request.push(bytes)) this.isFull = true
  }

  end(): void {
    this.request.finish()
  }

  fail(failure: BodyFailure): void {
    this.request.refuse(
      failure === "Aborted"
        ? Object.assign(new Error("aborted"), { code: "ECONNRESET" })
        : new Error("The body is malformed")
    )
  }

  /** Ends a request whose client has disconnected. */
  abort(): void {
    if (!this.request.complete) this.fail("Aborted")
    this.reply.close()
  }
}
