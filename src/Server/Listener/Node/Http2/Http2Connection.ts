/** A connection that speaks HTTP/2, and its open requests. */
import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2"
import type { Socket } from "node:net"
import { Bag } from "../../../Exchange/Bag.ts"
import type { Serving } from "../../../Exchange/Serving.ts"
import type { Serve, Tls } from "../../../Exchange/Wire.ts"
import { maxSilence } from "../../Linger.ts"
import type { Opener } from "../../Opener.ts"
import { replyTo } from "../../Refusal.ts"
import * as TlsPeer from "../../TlsPeer.ts"
import type { Tracked } from "../../Tracked.ts"
import { isWaiting, WriteProgress } from "../../WriteProgress.ts"
import type { Connections } from "../Connections.ts"
import { Budget } from "./Budget.ts"
import { Head } from "./Head.ts"
import { codes, Http2Wire, type Limits as RequestLimits, type Owner } from "./Http2Wire.ts"

/** The limits of each connection; times are in milliseconds. */
export interface Limits extends RequestLimits {
  /** Longest time without a request. */
  readonly idleTimeout: number
}

/** One connection. */
export class Http2Connection implements Owner, Tracked {
  readonly #budget = new Budget()
  /** The requests that are ended and whose streams are not closed. */
  readonly #cut = new Set<Http2Wire>()
  /** Since when only the socket is left; undefined before. */
  #endedAt: number | undefined
  readonly #limits: Limits
  /** The requests whose streams are open. */
  readonly #open = new Bag<Http2Wire>()
  readonly opener: Opener
  readonly remoteAddress: string | undefined
  readonly #session: ServerHttp2Session
  readonly #socket: Socket
  #since = performance.now()
  readonly tls: Tls | undefined
  readonly #writes: WriteProgress

  constructor(
    session: ServerHttp2Session,
    socket: Socket,
    options: {
      readonly connections: Connections
      readonly limits: Limits
      readonly opener: Opener
      readonly serve: Serve
      readonly serving: Serving
    }
  ) {
    const { connections, limits, opener, serve, serving } = options
    this.#limits = limits
    this.opener = opener
    this.remoteAddress = socket.remoteAddress
    this.#session = session
    this.#socket = socket
    this.tls = TlsPeer.of(socket)
    this.#writes = new WriteProgress(socket)
    const spend = () => this.#spend()
    // The session closes by itself.
    session.on("error", ignore)
    session.on("close", forget)
    session.on("goaway", spend)
    session.on("ping", spend)
    session.on("remoteSettings", spend)
    session.on(
      "stream",
      (stream: ServerHttp2Stream, _: object, __: number, raw: ReadonlyArray<string>) => {
        const head = new Head(raw)
        const wire = new Http2Wire(stream, head, this)
        this.#begin(wire, stream)
        // A client that came during the drain has its first request answered.
        if (connections.isDraining) this.announceClose()
        const refusal = head.refusal()
        if (refusal === undefined) return serve(wire)
        const { error } = refusal
        const { body, headers } = replyTo(error, wire, serving)
        wire.send(error.status, headers, body)
      }
    )
  }

  get isEnded(): boolean {
    return this.#session.destroyed || (this.#session.closed && this.isIdle)
  }

  get isIdle(): boolean {
    return this.#open.size === 0
  }

  get since(): number {
    return this.#since
  }

  #begin(wire: Http2Wire, stream: Keyed & ServerHttp2Stream): void {
    stream[key] = wire
    // An error without a listener would end the process.
    stream.on("error", ignore)
    stream.on("aborted", onAborted)
    stream.on("close", onClose)
    // The client may have cancelled it before this: with its head in one packet.
    if (stream.closed || stream.destroyed) wire.gone()
    else wire.leave = this.#open.add(wire)
  }

  /** Records that the stream of a request is closed, with this code. */
  ended(wire: Http2Wire, code: number): void {
    wire.leave?.()
    this.#cut.delete(wire)
    this.#since = performance.now()
    if (code !== codes.noError) this.#spend()
  }

  #spend(): void {
    if (!this.#budget.take()) this.#session.destroy(undefined, codes.enhanceYourCalm)
  }

  /**
   * Sends GOAWAY with the number of the last request that is answered, and closes the connection after its
   * reply. A client can send later requests again, on another connection. Source: RFC 9113, section 6.8.
   */
  announceClose(): void {
    this.#session.close()
  }

  destroy(): void {
    this.#session.destroy()
    // The session would wait until its client has read everything.
    this.#socket.destroy()
  }

  /** Ends requests and connections whose clients take too long. Call it at intervals. */
  tick(now: number): void {
    // A client that does not read the end of its request either reads nothing at all.
    if (this.#cut.size > 0 || this.#writes.isStalled(now, this.#limits.writeTimeout)) {
      return this.destroy()
    }
    if (this.isEnded) {
      if (isWaiting(this.#socket)) return
      // Node waits for the client to close its side, which it may never do.
      this.#endedAt ??= now
      if (now - this.#endedAt >= maxSilence) this.destroy()
      return
    }
    // The end of a reply that is on its way looks the same.
    const isSent = !isWaiting(this.#socket)
    for (const wire of this.#open.values) {
      if (isSent && wire.isAbandoned) {
        wire.release()
        this.#spend()
      } else if (wire.isOverdue(now, this.#limits)) {
        this.#cut.add(wire)
        wire.cut()
      }
    }
    if (this.isIdle && now - this.#since >= this.#limits.idleTimeout) this.announceClose()
  }
}

/** The key of the request in its stream, so that a request does not need a closure. */
const key = Symbol("flange/Http2Connection")

interface Keyed {
  [key]?: Http2Wire | undefined
}

const ignore = (): void => {}

/**
 * Releases what listens to a session. Settings that the client has never acknowledged hold their session from outside
 * of the heap, where no collection sees a cycle from the session through this connection and its socket.
 */
function forget(this: ServerHttp2Session): void {
  this.removeAllListeners()
}

function onAborted(this: Keyed): void {
  this[key]!.gone()
}

function onClose(this: Keyed & ServerHttp2Stream): void {
  const wire = this[key]!
  // Node's own table of streams keeps closed ones, as `Bag` describes.
  this[key] = undefined
  wire.closed(this.rstCode)
}
