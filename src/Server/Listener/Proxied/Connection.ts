/** One connection: reads requests, and writes their replies in the same order. */
import type { Socket } from "node:net"
import { Linger, maxDiscarded } from "../Linger.ts"
import type { Opened } from "../Opener.ts"
import { type Refusal, refusals } from "../Refusal.ts"
import { UpgradeWire } from "../UpgradeWire.ts"
import { WriteProgress } from "../WriteProgress.ts"
import { Discard } from "./Body.ts"
import { Bridge, BridgedRequest } from "./Bridge.ts"
import type { ListenerState, TimedConnection } from "./ListenerState.ts"
import type { Head } from "./Parse/Head.ts"
import { ParseEvent, Parser } from "./Parse/Parser.ts"
import { ProxiedWire, type WireOwner } from "./ProxiedWire.ts"
import type { Pushing } from "./Pushing.ts"
import * as RefusalReply from "./RefusalReply.ts"
import * as ReplyBytes from "./ReplyBytes.ts"
import { type Awaited, isOverdue } from "./Timeouts.ts"

/** A connection of the listener. Requests wait in a queue, and only the first may write. */
export class Connection implements WireOwner, TimedConnection {
  #count = 0
  #first: ProxiedWire | undefined
  /** Whether no more requests are read. */
  #isFinal = false
  #isFlowing = true
  #isHalfClosed = false
  #isRunning = false
  /** Whether unread bytes may wait for a reply or a reader. */
  #isStalled = false
  #last: ProxiedWire | undefined
  readonly #linger: Linger
  readonly #parser: Parser
  #phase: "closed" | "closing" | "open" | "upgraded" = "open"
  /** The request whose body is being read. */
  #reading: ProxiedWire | undefined
  /** The reply to a refused request, to send after the queue. */
  #refusal: ReplyBytes.ReplyBytes | undefined
  /** When the current head or body began. */
  #requestSince = 0
  readonly #listener: ListenerState
  readonly #onClose = this.#closed.bind(this)
  readonly #onData = this.#receive.bind(this)
  readonly #onDrain = this.#drained.bind(this)
  readonly #onEnd = this.#halfClosed.bind(this)
  /** When the last awaited bytes came, or when the connection became idle. */
  #since: number
  readonly #socket: Socket
  readonly #writes: WriteProgress
  #upgrade: Head | undefined

  constructor(listener: ListenerState, socket: Socket) {
    this.#linger = new Linger(socket)
    this.#parser = new Parser(listener.limits)
    this.#listener = listener
    this.#since = listener.clock.now
    this.#socket = socket
    this.#writes = new WriteProgress(socket)
    listener.connections.add(this)
    socket.on("close", this.#onClose)
    socket.on("data", this.#onData)
    socket.on("drain", this.#onDrain)
    socket.on("end", this.#onEnd)
    socket.on("error", ignore)
  }

  get isEnded(): boolean {
    return this.#linger.since !== undefined
  }

  get isIdle(): boolean {
    return (
      this.#phase === "open" &&
      this.#count === 0 &&
      this.#reading === undefined &&
      this.#upgrade === undefined &&
      !this.#parser.isInHead
    )
  }

  get since(): number {
    return this.#linger.since ?? this.#since
  }

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress
  }

  destroy(): void {
    this.#socket.destroy()
  }

  // The members that its requests call.

  /**
   * Decides whether the connection ends after the reply to this request. Call it before the
   * head is written.
   */
  #closesAfter(wire: ProxiedWire): boolean {
    if (wire.closes) return true
    const isReading = this.#reading === wire
    wire.closes =
      // After `Connection: close` a client resends the requests behind it, so only the last reply has it.
      (this.#listener.isDraining && wire.next === undefined && this.#upgrade === undefined) ||
      (isReading && wire.head.expectsContinue) ||
      (isReading && wire.bridge === undefined && this.#parser.remaining > maxDiscarded)
    if (wire.closes) this.#isFinal = true
    return wire.closes
  }

  read(wire: ProxiedWire): void {
    if (this.#reading !== wire) return
    if (wire.head.expectsContinue && !wire.continued && !wire.isAnswered) {
      wire.continued = true
      if (wire === this.#first) this.#proceed(wire)
    }
    if (this.#isRunning) this.#readBody()
    else this.#run()
  }

  /** Lets the client send the body, unless the final reply has begun. */
  #proceed(wire: ProxiedWire): void {
    if (this.#reading !== wire || wire.bridge?.reply.headersSent === true) return
    this.#socket.write(ReplyBytes.proceed, "latin1")
  }

  reply(wire: ProxiedWire, status: number, lines: string, body: string | Uint8Array): void {
    const persistence = this.#closesAfter(wire)
      ? "close"
      : wire.head.minor === 0
        ? "keep-1.0"
        : "keep"
    this.#answer(wire, ReplyBytes.compose(wire.method, status, lines, body, persistence))
  }

  push(wire: ProxiedWire, pushing: Pushing, status: number, lines: string): void {
    // HTTP/1.0 has no chunks: the end of the connection is that of the body.
    const isChunked = wire.head.minor === 1
    if (!isChunked) wire.closes = true
    const persistence = this.#closesAfter(wire) ? "close" : "keep"
    wire.pushing = pushing
    pushing.prepare(ReplyBytes.pushedHead(status, lines, isChunked, persistence), isChunked, () => {
      wire.isAnswered = true
      if (this.#reading === wire) this.#discard(wire)
      this.#shift()
    })
    if (wire === this.#first) pushing.begin(this.#socket)
  }

  load(then: () => void): void {
    this.#listener.opener.load(then)
  }

  open(wire: ProxiedWire): Opened {
    const readsBody = this.#reading === wire
    const bridge = new Bridge(this.#socket, wire.head, {
      closes: () => this.#closesAfter(wire),
      onFinish: () => this.#bridged(wire),
      onRead: readsBody ? () => this.read(wire) : undefined
    })
    wire.bridge = bridge
    if (readsBody) wire.sink = bridge
    if (wire === this.#first) bridge.reply.assignSocket(this.#socket)
    const opened = this.#listener.opener.open(bridge.request, bridge.reply)
    bridge.watch()
    return opened
  }

  #bridged(wire: ProxiedWire): void {
    if (wire.isAnswered) return
    wire.isAnswered = true
    const { reply } = wire.bridge!
    reply.detachSocket(this.#socket)
    if (reply.isLast || this.#socket.writableEnded) wire.closes = true
    if (this.#reading === wire) this.#discard(wire)
    this.#shift()
  }

  // Events of the socket.

  #receive(bytes: Buffer): void {
    if (this.#phase !== "open" || (this.#isFinal && this.#reading === undefined)) {
      return this.#linger.drop(bytes)
    }
    const { now } = this.#listener.clock
    if (this.#reading !== undefined) this.#since = now
    else if (!this.#parser.isInHead) this.#requestSince = now
    this.#parser.push(bytes)
    this.#run()
  }

  #drained(): void {
    this.#first?.bridge?.reply.emit("drain")
    this.#first?.pushing?.drained()
    if (this.#isStalled) this.#run()
  }

  #halfClosed(): void {
    if (this.#phase !== "open") return
    this.#isHalfClosed = true
    if (this.#reading !== undefined || (this.#count > 0 && !this.#listener.halfClose)) this.#abort()
    else if (this.#count === 0) this.#close()
  }

  #closed(): void {
    this.#listener.connections.delete(this)
    if (this.#phase === "upgraded") return
    this.#abort()
    this.#phase = "closed"
  }

  /** Reads as far as bytes, the queue and the readers of bodies allow. */
  #run(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    try {
      this.#isStalled = !this.#readAll()
    } finally {
      this.#isRunning = false
    }
    if (this.#phase !== "open") return
    if (this.#isStalled === this.#isFlowing) {
      this.#isFlowing = !this.#isStalled
      if (this.#isFlowing) {
        this.#requestSince = this.#since = this.#listener.clock.now
        this.#socket.resume()
      } else this.#socket.pause()
    }
    if (this.#isHalfClosed && this.#count === 0) this.#close()
  }

  /** Returns whether all bytes were read. */
  #readAll(): boolean {
    const { maxPipelined } = this.#listener
    while (this.#phase === "open") {
      if (this.#reading !== undefined) {
        const isWanted = this.#readBody()
        if (this.#reading !== undefined) return isWanted
        continue
      }
      if (this.#isFinal) return true
      if (this.#upgrade !== undefined) return false
      if (this.#count >= maxPipelined || this.#socket.writableNeedDrain) return false
      switch (this.#parser.next()) {
        case ParseEvent.Head:
          this.#begin(this.#parser.head!)
          break
        case ParseEvent.Refused:
          this.refuse(this.#refusalOf(this.#parser.refusal!, this.#parser.head))
          return true
        default:
          return true
      }
    }
    return true
  }

  /** Reads the current body. Returns whether its reader takes more bytes. */
  #readBody(): boolean {
    for (const wire = this.#reading!; wire === this.#reading && this.#phase === "open";) {
      const { sink } = wire
      if (sink === undefined || sink.isFull) return false
      switch (this.#parser.next()) {
        case ParseEvent.Data:
          sink.data(this.#parser.data)
          break
        case ParseEvent.End:
          this.#bodyRead(wire)
          sink.end()
          return true
        case ParseEvent.Refused:
          this.#giveUp(wire)
          if (!wire.isAnswered) {
            sink.fail(this.#parser.refusal!.error.status === 413 ? "TooLarge" : "Malformed")
          }
          return true
        default:
          return true
      }
    }
    return true
  }

  #bodyRead(wire: ProxiedWire): void {
    this.#reading = undefined
    wire.sink = undefined
  }

  /** Reads no more of a body, and no request behind it. */
  #giveUp(wire: ProxiedWire): void {
    this.#bodyRead(wire)
    this.#isFinal = wire.closes = true
    if (this.#count === 0) this.#close()
  }

  #begin(head: Head): void {
    if (head.upgrade && this.#listener.upgrades(head.method, head.target)) {
      this.#upgrade = head
      if (this.#count === 0) this.#handOver()
      return
    }
    const wire = new ProxiedWire(this, head)
    if (this.#last === undefined) this.#first = wire
    else this.#last.next = wire
    this.#last = wire
    this.#count++
    if (wire.closes) this.#isFinal = true
    if (head.hasBody) {
      this.#reading = wire
      this.#since = this.#listener.clock.now
    }
    this.#listener.serve(wire)
  }

  #answer(wire: ProxiedWire, reply: ReplyBytes.ReplyBytes): void {
    wire.isAnswered = true
    if (this.#reading === wire) this.#discard(wire)
    if (wire !== this.#first) {
      wire.replyBytes = reply
      return
    }
    ReplyBytes.write(this.#socket, reply)
    this.#shift()
  }

  /** Reads the rest of a body whose request is answered, to reach the next request. */
  #discard(wire: ProxiedWire): void {
    if (wire.closes) this.#bodyRead(wire)
    else {
      wire.sink = new Discard(() => this.#giveUp(wire))
      this.#isStalled = true
    }
  }

  /** Removes the first request after its reply, and writes the replies that waited for it. */
  #shift(): void {
    for (;;) {
      const done = this.#first!
      this.#count--
      this.#first = done.next
      if (done.closes) return this.#close()
      const next = done.next
      if (next === undefined) {
        this.#last = undefined
        this.#since = this.#listener.clock.now
        if (this.#refusal !== undefined) return this.#sendRefusal(this.#refusal)
        if (this.#upgrade !== undefined) return this.#handOver()
        break
      }
      if (next.replyBytes === undefined) {
        if (next.continued) this.#proceed(next)
        next.bridge?.reply.assignSocket(this.#socket)
        next.pushing?.begin(this.#socket)
        break
      }
      ReplyBytes.write(this.#socket, next.replyBytes)
    }
    if (this.#isStalled || this.#isHalfClosed) this.#run()
  }

  /** Ends the connection after the replies to the requests in the queue, and after `refusal`. */
  refuse(refusal: ReplyBytes.ReplyBytes): void {
    this.#isFinal = true
    if (this.#count === 0) this.#sendRefusal(refusal)
    else this.#refusal = refusal
  }

  #refusalOf(refusal: Refusal, head?: Head): ReplyBytes.ReplyBytes {
    return RefusalReply.reply(refusal, head, this.#listener.serving)
  }

  #sendRefusal(refusal: ReplyBytes.ReplyBytes): void {
    this.#refusal = undefined
    ReplyBytes.write(this.#socket, refusal)
    this.#close()
  }

  /** Ends the connection after the client has read the last reply. */
  #close(): void {
    if (this.#phase !== "open") return
    this.#phase = "closing"
    this.#reading = undefined
    this.#abort()
    if (!this.#isFlowing) this.#socket.resume()
    this.#linger.end()
  }

  /** Aborts the requests in the queue: the client has disconnected. */
  #abort(): void {
    const reading = this.#reading
    let wire = this.#first
    this.#count = 0
    this.#first = this.#last = this.#reading = this.#upgrade = undefined
    reading?.sink?.fail("Aborted")
    for (; wire !== undefined; wire = wire.next) {
      if (wire.isAnswered) continue
      wire.isAnswered = true
      wire.bridge?.abort()
      wire.pushing?.closed()
      wire.onAbort?.()
    }
    this.#close()
  }

  #handOver(): void {
    const head = this.#upgrade!
    const socket = this.#socket
    this.#upgrade = undefined
    this.#phase = "upgraded"
    socket.off("data", this.#onData).off("drain", this.#onDrain).off("end", this.#onEnd)
    // As `node:http` does: neither flowing nor paused, so that the next listener starts it.
    ;(socket as { readableFlowing: boolean | null }).readableFlowing = null
    const listener = this.#listener
    const request = new BridgedRequest(socket, head, undefined)
    const rest = this.#parser.rest()
    listener.serve(new UpgradeWire(request, socket, rest, listener, () => this.#release()))
  }

  /** Removes itself: the WebSocket that it has become is tracked by itself. */
  #release(): void {
    this.#listener.connections.delete(this)
    this.#socket.off("close", this.#onClose).off("error", ignore)
  }

  tick(now: number): void {
    const { clock, timeouts } = this.#listener
    if (this.#writes.isStalled(now, timeouts.writeTimeout) || this.#linger.isOver(now)) {
      return this.destroy()
    }
    const awaited = this.#awaited()
    if (awaited === undefined) this.#since = now
    else if (isOverdue(awaited, timeouts, clock, this.#since, this.#requestSince)) {
      if (awaited === "body") this.#bodyTimedOut(this.#reading!)
      else if (awaited === "head") this.refuse(this.#refusalOf(refusals.Timeout))
      // The client would read a 408 here as the reply to its next request.
      else this.#close()
    }
  }

  /** Returns what the connection waits for from its client. */
  #awaited(): Awaited | undefined {
    if (this.#phase !== "open" || !this.#isFlowing) return undefined
    if (this.#reading !== undefined) return "body"
    if (this.#parser.isInHead) return "head"
    return this.#count === 0 ? "request" : undefined
  }

  #bodyTimedOut(wire: ProxiedWire): void {
    const { bridge, sink } = wire
    this.#giveUp(wire)
    if (wire.isAnswered) return
    if (wire === this.#first && bridge !== undefined) {
      // The client has a part of the reply.
      if (bridge.reply.headersSent) return this.destroy()
      bridge.reply.detachSocket(this.#socket)
    }
    wire.isAnswered = true
    sink?.fail("Aborted")
    bridge?.abort()
    wire.onAbort?.()
    this.#answer(wire, this.#refusalOf(refusals.Timeout, wire.head))
  }
}

/** Hears the errors of a connection; `close` follows and does the work. */
function ignore(): void {}
