import type { Socket } from "node:net"
/** One connection: requests in, replies out in the same order, and the end of both. */
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import { Discard, maxDiscarded } from "./Body.ts"
import { Bridge, Incoming } from "./Bridge.ts"
import type { Head } from "./Head.ts"
import { Parser, Step } from "./Parser.ts"
import { Exchange, type Owner } from "./ProxiedWire.ts"
import { refusals } from "./Refusal.ts"
import * as Refused from "./Refused.ts"
import * as Reply from "./Reply.ts"
import type { Served, Service } from "./Service.ts"
import { type Awaited, isOverdue } from "./Timeouts.ts"

/** A connection of the listener. Requests wait in a queue, whose first may write. */
export class Connection implements Owner, Served {
  #count = 0
  #first: Exchange | undefined
  /** No request is read after the last one in the queue. */
  #isFinal = false
  #isFlowing = true
  #isHalfClosed = false
  #isRunning = false
  /** Whether there may be bytes that wait for a reply or a reader. */
  #isStalled = false
  #last: Exchange | undefined
  readonly #parser: Parser
  #phase: "closed" | "closing" | "open" | "upgraded" = "open"
  /** The request whose body is being read. */
  #reading: Exchange | undefined
  /** The reply to a request that has no place in the queue. */
  #refusal: Reply.Payload | undefined
  /** When the head or the body began that is being read. */
  #requestSince = 0
  readonly #service: Service
  /** When the last bytes came that somebody waited for, or when the connection became idle. */
  #since: number
  readonly #socket: Socket
  #upgrade: Head | undefined

  constructor(service: Service, socket: Socket) {
    this.#parser = new Parser(service.limits)
    this.#service = service
    this.#since = service.clock.now
    this.#socket = socket
    service.connections.add(this)
    socket.on("close", this.#onClose)
    socket.on("data", this.#onData)
    socket.on("drain", this.#onDrain)
    socket.on("end", this.#onEnd)
    // The close that follows says it all.
    socket.on("error", () => {})
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
    return this.#since
  }

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress
  }

  destroy(): void {
    this.#socket.destroy()
  }

  // What exchanges ask for.

  /** Whether the connection ends after the reply to this request, whose head is about to be written. */
  #closesAfter(exchange: Exchange): boolean {
    if (exchange.closes) return true
    const isReading = this.#reading === exchange
    exchange.closes =
      // The client may resend what was not answered, so only the last reply announces the end.
      (this.#service.isDraining && exchange.next === undefined && this.#upgrade === undefined) ||
      (isReading && exchange.head.expectsContinue) ||
      (isReading && exchange.bridge === undefined && this.#parser.remaining > maxDiscarded)
    if (exchange.closes) this.#isFinal = true
    return exchange.closes
  }

  read(exchange: Exchange): void {
    if (this.#reading !== exchange) return
    if (exchange.head.expectsContinue && !exchange.continued && !exchange.isAnswered) {
      if (exchange.bridge?.reply.headersSent !== true) {
        exchange.continued = true
        if (exchange === this.#first) this.#socket.write(Reply.proceed, "latin1")
      }
    }
    if (this.#isRunning) this.#readBody()
    else this.#run()
  }

  reply(exchange: Exchange, status: number, lines: string, body: string | Uint8Array): void {
    const persistence = this.#closesAfter(exchange)
      ? "close"
      : exchange.head.minor === 0
        ? "keep-1.0"
        : "keep"
    this.#answer(
      exchange,
      Reply.compose(status, lines, body, exchange.method === "HEAD", persistence)
    )
  }

  bridge(exchange: Exchange, response: HttpServerResponse | undefined): void {
    const readsBody = this.#reading === exchange
    const bridge = new Bridge(this.#socket, exchange.head, {
      closes: () => this.#closesAfter(exchange),
      onFinish: () => this.#bridged(exchange),
      onRead: readsBody ? () => this.read(exchange) : undefined
    })
    exchange.bridge = bridge
    if (readsBody) exchange.sink = bridge
    if (exchange === this.#first) bridge.reply.assignSocket(this.#socket)
    if (response === undefined) this.#service.general(bridge.request, bridge.reply)
    else this.#service.other(bridge.request, bridge.reply, response)
    bridge.watch()
  }

  #bridged(exchange: Exchange): void {
    if (exchange.isAnswered) return
    exchange.isAnswered = true
    const { reply } = exchange.bridge!
    reply.detachSocket(this.#socket)
    if (reply.isLast || this.#socket.writableEnded) exchange.closes = true
    this.#shift()
  }

  // What comes from the socket.

  readonly #onData = (bytes: Buffer): void => {
    if (this.#phase !== "open" || (this.#isFinal && this.#reading === undefined)) return
    const { now } = this.#service.clock
    if (this.#reading === undefined && !this.#parser.isInHead) this.#requestSince = now
    this.#since = now
    this.#parser.push(bytes)
    this.#run()
  }

  readonly #onDrain = (): void => {
    this.#first?.bridge?.reply.emit("drain")
    if (this.#isStalled) this.#run()
  }

  readonly #onEnd = (): void => {
    if (this.#phase !== "open") return
    this.#isHalfClosed = true
    if (this.#reading !== undefined || (this.#count > 0 && !this.#service.halfClose)) this.#abort()
    else if (this.#count === 0) this.#close()
  }

  readonly #onClose = (): void => {
    this.#service.connections.delete(this)
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
        this.#requestSince = this.#since = this.#service.clock.now
        this.#socket.resume()
      } else this.#socket.pause()
    }
    if (this.#isHalfClosed && this.#count === 0) this.#close()
  }

  /** Gives whether all bytes were read. */
  #readAll(): boolean {
    const { maxPipelined } = this.#service
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
        case Step.Head:
          this.#begin(this.#parser.head!)
          break
        case Step.Refused:
          this.#refuse(Refused.reply(this.#parser.refusal!, this.#parser.head))
          return true
        default:
          return true
      }
    }
    return true
  }

  /** Reads the current body. Gives whether its reader takes more bytes. */
  #readBody(): boolean {
    for (const exchange = this.#reading!; exchange === this.#reading && this.#phase === "open";) {
      const { sink } = exchange
      if (sink === undefined || sink.isFull) return false
      switch (this.#parser.next()) {
        case Step.Data:
          sink.data(this.#parser.data)
          break
        case Step.End:
          this.#bodyRead(exchange)
          sink.end()
          return true
        case Step.Refused:
          this.#bodyRead(exchange)
          this.#isFinal = exchange.closes = true
          if (exchange.isAnswered) this.#close()
          else sink.fail(this.#parser.refusal!.status === 413 ? "TooLarge" : "Malformed")
          return true
        default:
          return true
      }
    }
    return true
  }

  #bodyRead(exchange: Exchange): void {
    this.#reading = undefined
    exchange.sink = undefined
  }

  #begin(head: Head): void {
    if (head.upgrade) {
      this.#upgrade = head
      if (this.#count === 0) this.#handOver()
      return
    }
    const exchange = new Exchange(this, head)
    if (this.#last === undefined) this.#first = exchange
    else this.#last.next = exchange
    this.#last = exchange
    this.#count++
    if (exchange.closes) this.#isFinal = true
    if (head.hasBody) this.#reading = exchange
    if (!this.#service.dispatch(exchange)) this.bridge(exchange, undefined)
  }

  #answer(exchange: Exchange, payload: Reply.Payload): void {
    exchange.isAnswered = true
    if (this.#reading === exchange) this.#discard(exchange)
    if (exchange !== this.#first) {
      exchange.payload = payload
      return
    }
    Reply.write(this.#socket, payload)
    this.#shift()
  }

  /** The rest of a body whose request is answered is of no use, but stands before the next request. */
  #discard(exchange: Exchange): void {
    if (exchange.closes) this.#bodyRead(exchange)
    else {
      exchange.sink = new Discard(() => {
        this.#bodyRead(exchange)
        this.#isFinal = exchange.closes = true
        if (this.#first !== exchange && this.#count === 0) this.#close()
      })
      this.#isStalled = true
    }
  }

  /** The first reply is written: the next one may be. */
  #shift(): void {
    for (;;) {
      const done = this.#first!
      this.#count--
      this.#first = done.next
      if (done.closes) return this.#close()
      const next = done.next
      if (next === undefined) {
        this.#last = undefined
        this.#since = this.#service.clock.now
        if (this.#refusal !== undefined) return this.#sendRefusal(this.#refusal)
        if (this.#upgrade !== undefined) return this.#handOver()
        break
      }
      if (next.payload === undefined) {
        if (next.continued && this.#reading === next) this.#socket.write(Reply.proceed, "latin1")
        next.bridge?.reply.assignSocket(this.#socket)
        break
      }
      Reply.write(this.#socket, next.payload)
    }
    if (this.#isStalled || this.#isHalfClosed) this.#run()
  }

  /** Refuses a request that has no place in the queue, after the replies that are owed. */
  #refuse(refusal: Reply.Payload): void {
    this.#isFinal = true
    if (this.#count === 0) this.#sendRefusal(refusal)
    else this.#refusal = refusal
  }

  #sendRefusal(refusal: Reply.Payload): void {
    this.#refusal = undefined
    Reply.write(this.#socket, refusal)
    this.#close()
  }

  /** Ends the connection, so that the client reads the last reply before the end. */
  #close(): void {
    if (this.#phase !== "open") return
    this.#phase = "closing"
    this.#reading = undefined
    this.#abort()
    const { clock } = this.#service
    this.#since = clock.now
    // Bytes that were not read would make the kernel reset the connection, and the reply be lost.
    if (!this.#isFlowing) this.#socket.resume()
    this.#socket.end(() => (this.#since = clock.now))
  }

  /** Nobody waits for the replies that are still owed. */
  #abort(): void {
    const reading = this.#reading
    let exchange = this.#first
    this.#count = 0
    this.#first = this.#last = this.#reading = this.#upgrade = undefined
    reading?.sink?.fail("Aborted")
    for (; exchange !== undefined; exchange = exchange.next) {
      if (exchange.isAnswered) continue
      exchange.isAnswered = true
      exchange.bridge?.abort()
      exchange.onAbort?.()
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
    this.#service.upgrade(new Incoming(socket, head, undefined), socket, this.#parser.rest())
  }

  tick(): void {
    const awaited = this.#awaited()
    const { clock, timeouts } = this.#service
    if (awaited === undefined) this.#since = clock.now
    else if (isOverdue(awaited, timeouts, clock, this.#since, this.#requestSince)) {
      if (awaited === "body") this.#bodyTimedOut(this.#reading!)
      else if (awaited === "head") this.#refuse(Refused.reply(refusals.Timeout, undefined))
      // A reply that nobody asked for would be taken for that to the next request.
      else if (awaited === "request") this.#close()
      else this.#socket.destroy()
    }
  }

  /** What the client owes. */
  #awaited(): Awaited | undefined {
    if (this.#phase === "closing") return this.#socket.writableFinished ? "end" : "flush"
    if (this.#phase !== "open" || !this.#isFlowing) return undefined
    if (this.#reading !== undefined) return "body"
    if (this.#parser.isInHead) return "head"
    return this.#count === 0 ? "request" : undefined
  }

  #bodyTimedOut(exchange: Exchange): void {
    if (exchange.isAnswered || exchange.bridge?.reply.headersSent === true) {
      this.#socket.destroy()
      return
    }
    const { bridge, sink } = exchange
    this.#bodyRead(exchange)
    this.#isFinal = exchange.closes = exchange.isAnswered = true
    if (bridge !== undefined && exchange === this.#first) bridge.reply.detachSocket(this.#socket)
    sink?.fail("Aborted")
    bridge?.abort()
    exchange.onAbort?.()
    this.#answer(exchange, Refused.reply(refusals.Timeout, exchange.head))
  }
}
