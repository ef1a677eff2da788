/** One open event stream. */
import type { Sink, Source } from "../../Server/Exchange/PushedBody.ts"
import type { Position } from "./EventLogPosition.ts"
import type { Follower, Tail } from "./EventLogTail.ts"
import * as SseFrames from "./SseFrames.ts"

/** What a stream needs of those that hold it. */
export interface Hub {
  readonly add: (connection: Connection) => void
  /** Reads the events that a client has missed, and lets it join its tail. Returns the function that stops it. */
  readonly catchUp: (follower: LogFollower) => () => void
  /** Counts a stream that was cut because its client reads too slowly. */
  readonly countCut: () => void
  readonly isDraining: boolean
  /** The bytes that may wait for a client. */
  readonly maxBuffer: number
  /** Returns how long a client waits before it connects again, in milliseconds. */
  readonly pause: () => number
  readonly remove: (connection: Connection) => void
}

/** A stream to a client. */
export class Connection implements Source {
  /** When it ends, in Unix milliseconds. */
  readonly endsAt: number
  protected readonly hub: Hub
  /** Whether it was cut. The listener may have to wait for its client before it can close it. */
  #isCut = false
  #isQuiet = true
  protected sink: Sink | undefined
  /** The slot of the wheel of heartbeats. */
  slot = 0

  constructor(hub: Hub, endsAt: number) {
    this.hub = hub
    this.endsAt = endsAt
  }

  /** Whether the stream runs. */
  get isOpen(): boolean {
    return this.sink !== undefined
  }

  start(sink: Sink): void {
    this.sink = sink
    this.hub.add(this)
    this.begin()
    if (this.hub.isDraining) this.end()
  }

  closed(): void {
    this.sink = undefined
    this.hub.remove(this)
    this.stop()
  }

  /** Called when the stream begins. */
  protected begin(): void {
    this.send(SseFrames.heartbeat)
  }

  /** Called when the stream has ended. */
  protected stop(): void {}

  /** Sends bytes. A client that has not read so much from before is cut: it does not hold up others. */
  send(bytes: Uint8Array): void {
    const { sink } = this
    if (sink === undefined || this.#isCut) return
    if (sink.buffered > this.hub.maxBuffer) {
      this.hub.countCut()
      return this.cut()
    }
    this.#isQuiet = false
    sink.write(bytes)
  }

  /** Calls back when the client has taken what was sent. */
  drained(done: () => void): void {
    if (this.sink === undefined) queueMicrotask(done)
    else this.sink.onDrain(done)
  }

  /** Sends a line that the client ignores, unless something was sent since the last call. */
  beat(now: number): void {
    if (now >= this.endsAt) return this.end()
    if (this.#isQuiet) this.send(SseFrames.heartbeat)
    this.#isQuiet = true
  }

  /** Ends the stream. The client connects again after a pause. */
  end(): void {
    const { sink } = this
    if (sink === undefined) return
    sink.write(SseFrames.retry(this.hub.pause()))
    sink.end()
  }

  /** Cuts the stream: the client connects again. */
  cut(): void {
    this.#isCut = true
    this.sink?.cut()
  }
}

/** A stream of the events of a topic. */
export class LogFollower extends Connection implements Follower {
  #isHolding = false
  position: Position
  #stopReading: (() => void) | undefined
  readonly tail: Tail

  constructor(hub: Hub, endsAt: number, tail: Tail, position: Position) {
    super(hub, endsAt)
    this.position = position
    this.tail = tail
  }

  protected override begin(): void {
    this.tail.hold()
    this.#isHolding = true
    // A client that gets no event continues here too.
    this.send(SseFrames.position(this.position))
    if (this.hub.isDraining) return
    // No client had it for a while before this one began.
    if (this.tail.isClosed) return this.end()
    // Only the log knows whether it has had an id that the tail has not seen.
    const isAhead = this.position.sequence > this.tail.position.sequence
    if (isAhead || !this.tail.join(this)) this.#stopReading = this.hub.catchUp(this)
  }

  protected override stop(): void {
    if (this.#isHolding) this.tail.leave(this)
    this.#isHolding = false
    this.#stopReading?.()
  }

  receive(bytes: Uint8Array): void {
    this.send(bytes)
  }

  lost(reason: "expired" | "unknown", position: Position): void {
    this.send(SseFrames.reset(reason, position))
  }
}
