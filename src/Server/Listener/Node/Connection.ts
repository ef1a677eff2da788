/** A connection of a `node:http` server, and the replies that it has to send. */
import type * as Http from "node:http"
import type { Socket } from "node:net"
import * as Semantics from "../../Exchange/Semantics.ts"
import { Linger, maxDiscarded } from "../Linger.ts"
import type { Tracked } from "../Tracked.ts"
import { WriteProgress } from "../WriteProgress.ts"
import type { Reply } from "./Reply.ts"

/** The limits of each connection; times are in milliseconds. */
export interface Limits {
  /** Longest time from a reply to the end of the next head. */
  readonly idleTimeout: number
  /** Most requests that are handled at once. */
  readonly maxPipelined: number
  /** Longest time without progress of a write. */
  readonly writeTimeout: number
}

/** No replies. Nothing is added to it. */
const none: Array<Reply> = []

/** One connection. */
export class Connection implements Tracked {
  /** Whether no request after the last one is answered. */
  isFinal = false
  /** Whether no more requests are read until the waiting ones are handled. */
  #isHeld = false
  /** Whether Node's parser gets no more bytes. */
  isStopped = false
  /** The last reply to send; undefined once it is sent. */
  last: Reply | undefined
  readonly #limits: Limits
  /** Undefined while requests are read. */
  #linger: Linger | undefined
  /** The replies that are not sent, in the order of their requests. */
  #owed = none
  /**
   * The number of bytes read when the last reply ended. If more are read, a request is
   * arriving.
   */
  #readAtIdle = 0
  /** The reply to a refused request, to write after those to the requests before it. */
  #refusal: string | undefined
  /** The last request. */
  #request: Http.IncomingMessage | undefined
  #since = performance.now()
  readonly #socket: Socket
  /** Requests that are not handled yet, because too many others have no sent reply. */
  #waiting: Array<() => void> | undefined
  /** Undefined until a write has to wait. */
  #writes: WriteProgress | undefined

  constructor(socket: Socket, limits: Limits) {
    this.#limits = limits
    this.#socket = socket
  }

  get isEnded(): boolean {
    return this.#linger?.since !== undefined
  }

  get isIdle(): boolean {
    return this.#owed.length === 0 && !this.isStopped && this.#socket.bytesRead <= this.#readAtIdle
  }

  /** Whether a reply is left to send. */
  get owes(): boolean {
    return this.#owed.length > 0
  }

  get since(): number {
    return this.#linger?.since ?? this.#since
  }

  /** The request whose body is incomplete, with its reply if that is not sent. */
  get reading():
    | { readonly reply: Reply | undefined; readonly request: Http.IncomingMessage }
    | undefined {
    const request = this.#request
    return request === undefined || request.complete ? undefined : { reply: this.last, request }
  }

  /** Puts `Connection: close` on the last reply. */
  announceClose(): void {
    if (this.last !== undefined && !this.last.headersSent) {
      this.last.setHeader("connection", "close")
    }
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** Ends the connection if its client takes too long. Call it at intervals. */
  tick(now: number): void {
    const { idleTimeout, writeTimeout } = this.#limits
    if (this.#isStalled(now, writeTimeout) || this.#linger?.isOver(now) === true) this.destroy()
    // Each empty line before a request restarts Node's own timeout.
    else if (this.#owed.length === 0 && !this.isFinal && now - this.#since >= idleTimeout)
      this.close()
  }

  #isStalled(now: number, limit: number): boolean {
    this.#writes ??= WriteProgress.of(this.#socket)
    return this.#writes?.isStalled(now, limit) === true
  }

  /** Records a request and handles it, at once or when earlier ones have their replies. */
  begin(request: Http.IncomingMessage, reply: Reply, handle: () => void): void {
    if (this.isFinal) return this.#stop()
    if (request.httpVersionMinor === 0 && closes(request)) reply.shouldKeepAlive = false
    if (!reply.shouldKeepAlive) this.isFinal = true
    this.last = reply
    this.#request = request
    if (this.#owed.length === 0) this.#owed = [reply]
    else this.#owed.push(reply)
    reply.owner = this
    reply.on("close", onReplyClose)
    if (this.#owed.length <= this.#limits.maxPipelined) return handle()
    ;(this.#waiting ??= []).push(handle)
    this.#isHeld = true
    this.#socket.pause()
  }

  /** Records that a reply is sent, or never will be. */
  replied(reply: Reply): void {
    if (this.last === reply) this.last = undefined
    if (this.#owed[0] === reply) this.#owed.shift()
    else this.#owed = this.#owed.filter((other) => other !== reply)
    this.#rest()
    // The connection is closed, or closes after this reply.
    if (this.#socket.writableEnded || this.#socket.destroyed) this.#waiting = undefined
    this.#waiting?.shift()?.()
    if (this.#isHeld && (this.#waiting === undefined || this.#waiting.length === 0)) {
      this.#isHeld = false
      this.#socket.resume()
    }
    if (this.isStopped) this.#closeIfAnswered()
    else if (!reply.req.complete) this.#discard(reply.req)
  }

  /** Records that the next request has not begun to arrive. */
  #rest(): void {
    this.#readAtIdle = this.#socket.bytesRead
    this.#since = performance.now()
  }

  /** Reads the rest of a body whose request is answered, to reach the next request. */
  #discard(request: Http.IncomingMessage): void {
    const socket = this.#socket
    let length = 0
    const count = (bytes: Buffer) => {
      if (request.complete) {
        socket.off("data", count)
        if (this.#owed.length === 0) this.#rest()
      } else if ((length += bytes.length) > maxDiscarded) this.close()
    }
    // Node's parser reads each piece first.
    socket.on("data", count)
    request.removeAllListeners("data").removeAllListeners("readable").resume()
  }

  /**
   * Gives the connection to another protocol: calls `next` once no reply is left to send, unless
   * the connection ends before. Node has removed its listeners by then, so this does what they did
   * for the replies that are left.
   */
  handOver(next: () => void): void {
    // An error without a listener would end the process.
    this.#socket.on("error", ignore)
    if (this.#owed.length > 0) this.#watch()
    if (this.isFinal) return this.#stop()
    this.isFinal = true
    const { last } = this
    if (last === undefined) next()
    else last.once("close", next)
  }

  /** Removes the listeners that the connection has added for its part in HTTP. */
  release(): void {
    this.#socket.off("error", ignore)
  }

  /** Lets the replies that are left see what happens on the connection. */
  #watch(): void {
    this.#socket.on("drain", () => {
      const [first] = this.#owed
      first?.emit("drain")
    })
    this.#socket.on("close", () => {
      for (const reply of this.#owed) {
        reply.destroyed = true
        ;(reply as unknown as ReplyInternals)._closed = true
        reply.emit("close")
      }
    })
  }

  /** Ends the last request, whose body cannot be read to its end, without a reply. */
  abort(request: Http.IncomingMessage, reply: Reply): void {
    if (reply.socket !== null) reply.detachSocket(this.#socket)
    reply.destroy()
    // Node's own would destroy the socket.
    request._destroy = pass
    request.destroy()
  }

  /** Ends the connection after the replies that are left to send, and after `refusal`. */
  end(refusal?: string): void {
    this.#stop()
    this.#refusal = refusal
    this.#closeIfAnswered()
  }

  /** Reads no more requests. What the client still sends is dropped, within bounds. */
  #stop(): void {
    if (this.isStopped) return
    this.isFinal = this.isStopped = true
    // A listener for `data` takes the bytes away from Node's parser.
    const linger = (this.#linger = new Linger(this.#socket))
    this.#socket
      .removeAllListeners("data")
      .on("data", (bytes) => linger.drop(bytes))
      .resume()
    // Node's parser reports only one error, so it may not tell of the end.
    if (this.#socket.readableEnded) this.#left()
    else this.#socket.once("end", () => this.#left())
  }

  /** Ends the connection of a client that has left while replies are owed, as Node does. Nobody waits for them. */
  #left(): void {
    if (this.#owed.length > 0) this.#socket.end()
  }

  #closeIfAnswered(): void {
    if (this.#owed.length > 0) return
    if (this.#refusal !== undefined && this.#socket.writable) this.#socket.write(this.#refusal)
    this.close()
  }

  /** Ends the connection once its client has its last reply. */
  close(): void {
    if (this.#socket.writableEnded) return
    this.#stop()
    this.#linger!.end()
  }
}

const pass = (error: Error | null, done: (error?: Error | null) => void): void => done(error)

/** Hears the errors of a connection; `close` follows and does the work. */
function ignore(): void {}

/** The private member from which Node's reply computes `closed`. */
interface ReplyInternals {
  _closed: boolean
}

/** Source: RFC 9112, section 9.3. Node keeps an HTTP/1.0 connection for `close, keep-alive`. */
const closes = ({ headers }: Http.IncomingMessage): boolean =>
  Semantics.elements(headers.connection ?? "").includes("close")

/** One function for all replies, so that a request does not need a closure. */
function onReplyClose(this: Reply): void {
  this.owner!.replied(this)
}
