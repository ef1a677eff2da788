/** One connection of a channel: its messages in both directions, its limits, and its end. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { ChannelClosed, codes, isSendable, shortened } from "../../Contract/ChannelClose.ts"
import type { ChannelText } from "../../Contract/ChannelText.ts"
import type * as WebSocketUpgrade from "../../Server/Exchange/WebSocketUpgrade.ts"
import { type Limits, Rate } from "./WebSocketLimits.ts"
import * as WebSocketWaiter from "./WebSocketWaiter.ts"

/** A connection, as its handler sees it. */
export interface Connection<out Receive, in Send> {
  /**
   * Closes the connection. The code is 1000, or one from 3000 to 4999 whose meaning the app
   * defines; a reason has at most 123 bytes.
   */
  close(code?: number, reason?: string): Effect.Effect<void>
  /** Waits until either side closes the connection. */
  readonly closed: Effect.Effect<ChannelClosed>
  /** Calls a function with each message, one after the other, until the connection is closed. */
  forEach<E, R>(use: (message: Receive) => Effect.Effect<unknown, E, R>): Effect.Effect<void, E, R>
  /** The id of the request that opened the connection. The log lines of its handler have it. */
  readonly id: string
  /** The messages of the client. The stream ends when the connection is closed. */
  readonly messages: Stream.Stream<Receive>
  /**
   * Sends a message at once. Returns false if the connection is closed, or if the client has not
   * read `maxBuffer` bytes: it is then closed with 1013.
   */
  offer(message: Send): boolean
  /** Waits for one message. */
  readonly receive: Effect.Effect<Receive, ChannelClosed>
  /** Sends a message. It waits while `maxBuffer` bytes wait for the client to read them. */
  send(message: Send): Effect.Effect<void, ChannelClosed>
  /** Sends the elements of a stream until it ends or the connection is closed. */
  sendAll<E, R>(messages: Stream.Stream<Send, E, R>): Effect.Effect<void, E, R>
  /** The subprotocol that the server has chosen. */
  readonly subprotocol: string | undefined
}

/** What all connections of a channel share. */
export interface Shared<Receive, Send> {
  readonly count: {
    bytesIn: number
    bytesOut: number
    messagesIn: number
    messagesOut: number
  }
  readonly limits: Limits
  readonly now: () => number
  /** Returns the answer to a message that does not fit the channel; undefined to close with 1007. */
  readonly onInvalid: ((reason: string) => Send | undefined) | undefined
  readonly receive: ChannelText<Receive>
  readonly send: ChannelText<Send>
}

/** What a connection has received and sent. One that is silent has no object of its own. */
class Traffic {
  bytesIn = 0
  bytesOut = 0
  messagesIn = 0
  messagesOut = 0
}

const none: Readonly<Traffic> = new Traffic()

/** One connection without the fiber of its handler. Its times are readings of `now`, in milliseconds. */
export abstract class OpenConnection<Receive, Send>
  implements Connection<Receive, Send>, WebSocketUpgrade.Events
{
  abstract readonly channel: Shared<Receive, Send>
  closedAt: number | undefined
  end: ChannelClosed | undefined
  /** When the client began to leave too many bytes unread. */
  #fullSince: number | undefined
  #heard: number
  abstract readonly id: string
  /** Whether a fiber waits for the client to read. */
  #isBlocked = false
  #isPaused = false
  readonly openedAt: number
  /** The loop of the first call of `forEach`. */
  protected reading: Reading<Receive> | undefined
  #peer: WebSocketUpgrade.Peer | undefined
  /** When the last ping was sent; undefined if the client was heard since. */
  #pingedAt: number | undefined
  /** The messages that wait for the handler; undefined if there are none. */
  #queue: [Receive, ...Array<Receive>] | undefined
  #rate: Rate | undefined
  readonly subprotocol: string | undefined
  #traffic: Traffic | undefined
  /** Fibers that wait for a message, for room to send, or for the end. */
  #waiting: WebSocketWaiter.Waiter | undefined

  /** `now` is the time of the handshake. */
  constructor(now: number, subprotocol: string | undefined) {
    this.openedAt = this.#heard = now
    this.subprotocol = subprotocol
  }

  // The members of its handler.

  close(code: number = codes.normal, reason = ""): Effect.Effect<void> {
    return Effect.sync(() => {
      if (!isSendable(code)) {
        throw new RangeError(
          `${code} is no code of a closing frame. Use 1000, or one from 3000 to 4999.`
        )
      }
      this.shut(code, reason)
    })
  }

  get closed(): Effect.Effect<ChannelClosed> {
    const waited: Effect.Effect<ChannelClosed> = Effect.suspend(() =>
      this.end === undefined
        ? Effect.flatMap(this.#changed, () => waited)
        : Effect.succeed(this.end)
    )
    return waited
  }

  forEach<E, R>(
    use: (message: Receive) => Effect.Effect<unknown, E, R>
  ): Effect.Effect<void, E, R> {
    const reading = new Reading(this, use)
    const loop = Effect.whileLoop(reading)
    reading.loop = loop
    this.reading ??= reading
    return loop
  }

  get messages(): Stream.Stream<Receive> {
    const pull: Effect.Effect<readonly [Receive, ...Array<Receive>], Cause.Done> = Effect.suspend(
      () => {
        const queue = this.#queue
        if (queue !== undefined) {
          this.#queue = undefined
          this.#resume()
          return Effect.succeed(queue)
        }
        return this.end === undefined ? Effect.flatMap(this.#changed, () => pull) : Cause.done()
      }
    )
    return Stream.fromPull(Effect.succeed(pull))
  }

  offer(message: Send): boolean {
    return this.offerText(this.channel.send.encode(message))
  }

  get receive(): Effect.Effect<Receive, ChannelClosed> {
    const waited: Effect.Effect<Receive, ChannelClosed> = Effect.suspend(() => {
      if (this.#queue !== undefined) return Effect.succeed(this.#take())
      return this.end === undefined
        ? Effect.flatMap(this.#changed, () => waited)
        : Effect.fail(this.end)
    })
    return waited
  }

  send(message: Send): Effect.Effect<void, ChannelClosed> {
    return Effect.suspend(() => this.sendText(this.channel.send.encode(message)))
  }

  sendAll<E, R>(messages: Stream.Stream<Send, E, R>): Effect.Effect<void, E, R> {
    return Effect.raceFirst(
      Stream.runForEach(messages, (message) => Effect.ignore(this.send(message))),
      Effect.asVoid(this.closed)
    )
  }

  // The members of `Reading`.

  /** Whether a message waits. */
  get hasNext(): boolean {
    return this.#queue !== undefined
  }

  /** Calls `use` with the next message, or waits for a change. */
  next<E, R>(
    use: (message: Receive) => Effect.Effect<unknown, E, R>
  ): Effect.Effect<unknown, E, R> {
    return this.#queue === undefined ? this.#changed : use(this.#take())
  }

  // The members of its channel.

  /** What it has received and sent. */
  get traffic(): Readonly<Traffic> {
    return this.#traffic ?? none
  }

  /** Sends a text at once, as `offer` does. */
  offerText(text: string): boolean {
    if (this.end !== undefined) return false
    if (!this.#isFull) {
      this.#write(text)
      return true
    }
    this.shut(codes.tryLater, "The client reads too slowly")
    return false
  }

  sendText(text: string): Effect.Effect<void, ChannelClosed> {
    return Effect.suspend(() => {
      if (this.end !== undefined) return Effect.fail(this.end)
      if (this.#isFull) {
        this.#isBlocked = true
        return Effect.flatMap(this.#changed, () => this.sendText(text))
      }
      this.#write(text)
      return Effect.void
    })
  }

  /** Sends a closing frame, once. */
  shut(code: number, reason: string): void {
    if (this.end !== undefined) return
    this.end = new ChannelClosed({ code, reason: shortened(reason) })
    this.#peer?.close(code, this.end.reason)
    this.#wake()
  }

  /** Closes the connection at once. */
  destroy(): void {
    this.#peer?.destroy()
  }

  /** Looks whether the client lives and reads. Call it at intervals. */
  tick(now: number): void {
    if (this.end !== undefined || this.#peer === undefined) return
    const { idleTimeout, sendTimeout } = this.channel.limits
    if (this.#isFull && now - this.#fullSince! >= sendTimeout) {
      return this.shut(codes.tryLater, "The client reads too slowly")
    }
    if (!this.#peer.canPing) return
    if (this.#isPaused) {
      // Nothing of the client is read now, neither a pong nor its end.
      if (now - this.#heard < idleTimeout) return
      return this.shut(codes.policy, "Too many messages wait for the handler")
    }
    if (this.#pingedAt === undefined) {
      if (now - this.#heard < idleTimeout / 2) return
      this.#pingedAt = now
      this.#peer.ping()
    } else if (now - this.#pingedAt >= idleTimeout / 2) {
      this.shut(codes.goingAway, "The client was silent too long")
    }
  }

  /** Starts its handler. */
  abstract begin(): void

  /** Called when a message has come, the client has read, or the connection is closed. */
  abstract changed(): void

  /** Records that it is closed. */
  abstract finish(): void

  /** Records that a function of its channel has thrown. */
  abstract fail(defect: unknown): void

  // The members of its listener.

  onOpened(peer: WebSocketUpgrade.Peer): void {
    this.#peer = peer
    this.begin()
  }

  onClosed(code: number, reason: string): void {
    this.closedAt = this.channel.now()
    this.end ??= new ChannelClosed({ code, reason })
    this.finish()
    this.#wake()
  }

  onMessage(data: string | Uint8Array, size: number): void {
    if (this.end !== undefined) return
    const { count, limits, receive } = this.channel
    const traffic = (this.#traffic ??= new Traffic())
    traffic.messagesIn++
    traffic.bytesIn += size
    count.messagesIn++
    count.bytesIn += size
    if (!this.#hears(size)) return
    if (typeof data !== "string") return this.shut(codes.unsupported, "Send text, not bytes")
    const decoded = receive.decode(data)
    if (Result.isFailure(decoded)) return this.#refuse(decoded.failure)
    if (this.#queue === undefined) this.#queue = [decoded.success]
    else this.#queue.push(decoded.success)
    if (this.#queue.length >= limits.maxWaiting) {
      if (!this.#peer!.canPause) {
        return this.shut(codes.policy, "Too many messages wait for the handler")
      }
      this.#isPaused = true
      this.#peer!.pause()
    }
    this.#wake()
  }

  onDrain(): void {
    if (!this.#isBlocked || this.#isFull) return
    this.#isBlocked = false
    this.#wake()
  }

  onPing(data: Uint8Array): void {
    // A client that reads no pongs must not fill the memory with them.
    if (this.end === undefined && this.#hears(data.length) && !this.#isFull) this.#peer!.pong(data)
  }

  onPong(): void {
    if (this.end === undefined) this.#hears(0)
  }

  // Its own parts.

  /** Counts what came. Closes the connection of a client that sends too much. */
  #hears(size: number): boolean {
    const { limits, now } = this.channel
    this.#heard = now()
    this.#pingedAt = undefined
    this.#rate ??= new Rate(limits, this.#heard)
    if (this.#rate.take(size, this.#heard)) return true
    this.shut(codes.policy, "Too many messages")
    return false
  }

  /** Answers a message that does not fit the channel. The reason has parts of the message. */
  #refuse(reason: string): void {
    try {
      const answer = this.channel.onInvalid?.(reason)
      if (answer === undefined) this.shut(codes.invalid, reason)
      else this.offer(answer)
    } catch (defect) {
      this.shut(codes.internal, "Internal error")
      this.fail(defect)
    }
  }

  get #isFull(): boolean {
    const isFull = this.#peer!.buffered > this.channel.limits.maxBuffer
    if (!isFull) this.#fullSince = undefined
    else this.#fullSince ??= this.channel.now()
    return isFull
  }

  #write(text: string): void {
    const { count } = this.channel
    const size = Buffer.byteLength(text)
    const traffic = (this.#traffic ??= new Traffic())
    traffic.messagesOut++
    traffic.bytesOut += size
    count.messagesOut++
    count.bytesOut += size
    this.#peer!.send(text)
  }

  #take(): Receive {
    const queue = this.#queue!
    const message = queue[0]
    if (this.#isPaused) this.#heard = this.channel.now()
    if (queue.length > 1) queue.shift()
    else {
      this.#queue = undefined
      this.#resume()
    }
    return message
  }

  #resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#heard = this.channel.now()
    this.#pingedAt = undefined
    this.#peer?.resume()
  }

  /**
   * Waits until a message came, the client has read, or the connection is closed. Without a
   * finalizer, which an idle connection would keep: a fiber that was interrupted is dropped by the
   * next one that waits.
   */
  get #changed(): Effect.Effect<void> {
    return Effect.withFiber((fiber) =>
      Effect.callback((resume) => {
        this.#waiting = WebSocketWaiter.add(this.#waiting, { fiber, next: undefined, resume })
      })
    )
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    WebSocketWaiter.wake(waiting)
    this.changed()
  }
}

/** The part of a connection that reads its messages one after the other. */
interface Readable<in out Receive> {
  readonly end: ChannelClosed | undefined
  readonly hasNext: boolean
  readonly next: <E, R>(
    use: (message: Receive) => Effect.Effect<unknown, E, R>
  ) => Effect.Effect<unknown, E, R>
}

/** The loop of `forEach`: one object instead of closures, because most connections wait in it. */
class Reading<Receive, E = unknown, R = unknown> {
  readonly #connection: Readable<Receive>
  /** Its effect, until its connection has begun. */
  loop: Effect.Effect<void, E, R> | undefined
  /** Whether it also ends where it would wait for a message. It is run again when one has come. */
  rests = false
  readonly #use: (message: Receive) => Effect.Effect<unknown, E, R>

  constructor(
    connection: Readable<Receive>,
    use: (message: Receive) => Effect.Effect<unknown, E, R>
  ) {
    this.#connection = connection
    this.#use = use
  }

  while(): boolean {
    return this.#connection.hasNext || (this.#connection.end === undefined && !this.rests)
  }

  body(): Effect.Effect<unknown, E, R> {
    return this.#connection.next(this.#use)
  }

  step(): void {}
}
