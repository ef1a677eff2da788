/** Node's own request and reply over a connection of this listener, for Effect's own server. */
import type { Socket } from "node:net"
import type { BodyFailure } from "../../Exchange/Wire.ts"
import type { Sink } from "./Body.ts"
import type { Head } from "./Parse/Head.ts"

// The import statement would also evaluate the module's lazy parts.
const http = process.getBuiltinModule("node:http")

/** How Node's parser hands header lines over. */
interface Lines {
  readonly _addHeaderLines: (lines: ReadonlyArray<string>, count: number) => void
  joinDuplicateHeaders: boolean
}

/** A request whose body is pushed by the connection. */
export class Incoming extends http.IncomingMessage {
  #onRead: (() => void) | undefined
  #isRefused = false

  constructor(socket: Socket, head: Head, onRead: (() => void) | undefined) {
    super(socket)
    this.httpVersion = `1.${head.minor}`
    this.httpVersionMajor = 1
    this.httpVersionMinor = head.minor
    this.method = head.method
    const raw = head.rawHeaders()
    const lines = this as unknown as Lines
    lines.joinDuplicateHeaders = true
    // Node counts them here, and gives `headers` of those that it counted.
    lines._addHeaderLines(raw, raw.length)
    this.url = head.target
    this.#onRead = onRead
    if (onRead === undefined) this.finish()
  }

  /** The body is complete. */
  finish(): void {
    this.complete = true
    this.#onRead = undefined
    this.push(null)
  }

  /** The body will not be complete. Unlike `destroy`, it leaves the connection to its owner. */
  refuse(error: Error): void {
    this.#isRefused = true
    this.#onRead = undefined
    this.destroy(error)
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.#isRefused) return super._destroy(error, callback)
    // Like Node's own: without a listener the error concerns nobody.
    process.nextTick(() => callback(this.listenerCount("error") > 0 ? error : null))
  }

  override _read(size: number): void {
    super._read(size)
    this.#onRead?.()
  }
}

/** What Node keeps about a reply beside its public parts. */
interface Internals {
  _closed: boolean
  readonly _last: boolean
}

/** A reply that asks its connection, when the head is written, whether that stays open. */
export class Outgoing extends http.ServerResponse<Incoming> {
  readonly #closes: () => boolean
  #isClosed = false

  constructor(request: Incoming, closes: () => boolean) {
    super(request)
    this.shouldKeepAlive = true
    this.#closes = closes
  }

  /** Whether its head says that the connection ends. */
  get isLast(): boolean {
    return (this as unknown as Internals)._last
  }

  /** Tells those who wait for its end that it is over. */
  close(): void {
    if (this.#isClosed || this.closed) return
    this.#isClosed = true
    this.destroyed = true
    // Node sets it when the socket closes; this reply may have none.
    ;(this as unknown as Internals)._closed = true
    this.emit("close")
  }

  override writeHead(status: number, ...rest: ReadonlyArray<unknown>): this {
    if (!this.headersSent) {
      if (this.#closes()) this.shouldKeepAlive = false
      // Keeping the connection needs no word in HTTP/1.1.
      else if (this.req.httpVersionMinor === 1) this.removeHeader("connection")
    }
    // The parameters are those of the method that it overrides.
    return super.writeHead(status, ...(rest as []))
  }
}

/** What the owner of a bridge decides and learns. */
export interface Hooks {
  /** Whether the connection ends after the reply, whose head is about to be written. */
  readonly closes: () => boolean
  /** The reply is written. */
  readonly onFinish: () => void
  /** The body is to be read on. Left out where it is read already, or there is none. */
  readonly onRead: (() => void) | undefined
}

/** A request and its reply as Node's objects. */
export class Bridge implements Sink {
  readonly #hooks: Hooks
  isFull = true
  readonly reply: Outgoing
  readonly request: Incoming

  constructor(socket: Socket, head: Head, hooks: Hooks) {
    const { onRead } = hooks
    this.#hooks = hooks
    this.request = new Incoming(
      socket,
      head,
      onRead &&
        (() => {
          this.isFull = false
          onRead()
        })
    )
    this.reply = new Outgoing(this.request, hooks.closes)
    this.reply.shouldKeepAlive = head.keepAlive
  }

  /** Starts to watch for the end of the reply; whoever answers has put its listeners on already. */
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

  /** Nobody waits for the reply any more. */
  abort(): void {
    if (!this.request.complete) this.fail("Aborted")
    this.reply.close()
  }
}
