/** The end of a topic, which a process reads once for all its clients. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import type * as Scope from "effect/Scope"
import { advance } from "./EventLogAdvance.ts"
import type { Backend, Entry, EventLogError } from "./EventLogBackend.ts"
import type { Position } from "./EventLogPosition.ts"
import * as SseFrames from "./SseFrames.ts"

/** A client that gets the events of a topic as they come. */
export interface Follower {
  /** Called when the log has lost events that the client has not got. */
  readonly lost: (reason: "expired" | "unknown", position: Position) => void
  /** The position behind the last event that it got. The tail sets it. */
  position: Position
  readonly receive: (bytes: Uint8Array) => void
}

/** How many events are read at once. */
export const pageSize = 200

/** How many of the last events, and bytes of them, stay in memory for clients that come back. */
const recent = { bytes: 2 ** 18, events: 200 }

/** The shortest and the longest wait after a failure of the backend, in milliseconds. */
const waits = { longest: 5000, shortest: 100 }

/** The wait after a page that ended before events which are not visible yet, in milliseconds. */
const gapWait = 10

interface Framed {
  readonly bytes: Buffer
  readonly sequence: number
}

/** Reads the end of a topic. */
export class Tail {
  readonly #backend: Backend
  readonly #followers = new Set<Follower>()
  /** How many clients have it, also those that do not follow it yet. */
  #held = 0
  /** Whether it reads no more. A client that comes then has to open another one. */
  isClosed = false
  readonly #latch = Latch.makeUnsafe()
  #position: Position = { generation: 0, sequence: 0 }
  #recent: Array<Framed> = []
  #recentBytes = 0
  readonly topic: string
  /** Called when the position changes. */
  readonly #waiting = new Set<() => void>()

  constructor(backend: Backend, topic: string) {
    this.#backend = backend
    this.topic = topic
  }

  /** Whether no one needs it. */
  get isIdle(): boolean {
    return this.#held === 0 && this.#waiting.size === 0
  }

  /** The position behind the last event that the process has read. */
  get position(): Position {
    return this.#position
  }

  /** Waits until the position is another one. Does not wait if it is closed. */
  changed(position: Position): Effect.Effect<void> {
    return Effect.callback((resume) => {
      if (this.isClosed || !isSame(position, this.#position)) return resume(Effect.void)
      const wake = () => {
        this.#waiting.delete(wake)
        resume(Effect.void)
      }
      this.#waiting.add(wake)
      return Effect.sync(() => this.#waiting.delete(wake))
    })
  }

  /**
   * Adds a client, and sends it the events after its position. Returns false if they are not in memory any
   * more: the client has to read them first.
   */
  join(follower: Follower): boolean {
    const { generation, sequence } = this.#position
    const { position } = follower
    // A client of a topic without events waits for the first one.
    const isNew = position.generation === 0 && position.sequence === 0
    if (position.generation !== generation && !(isNew && sequence === 0)) {
      if (!isNew || this.#recent[0]?.sequence !== 1) return false
    }
    if (position.sequence < sequence) {
      const oldest = this.#recent[0]
      if (oldest === undefined || oldest.sequence > position.sequence + 1) return false
      follower.receive(Buffer.concat(this.#after(position.sequence)))
    }
    if (position.sequence <= sequence) follower.position = this.#position
    this.#followers.add(follower)
    return true
  }

  /** Keeps it open for a client until that leaves. */
  hold(): void {
    this.#held++
  }

  /** Removes a client. */
  leave(follower: Follower): void {
    this.#held--
    this.#followers.delete(follower)
  }

  /** Begins at the end of the topic, with the last events in memory. */
  get opened(): Effect.Effect<void, EventLogError> {
    return Effect.gen({ self: this }, function* () {
      const { generation, last } = yield* this.#backend.page(this.topic, Number.MAX_SAFE_INTEGER, 0)
      this.#position = { generation, sequence: last }
      if (last === 0) return
      const after = Math.max(0, last - recent.events)
      const page = yield* this.#backend.page(this.topic, after, recent.events)
      const start = { generation, sequence: Math.max(after, page.first - 1) }
      const found = advance(start, page)
      // If it was emptied or has grown meanwhile, the first round finds that.
      if (found.lost !== undefined || found.position.sequence < last) return
      this.#remember(found.entries, generation)
      this.#position = found.position
    })
  }

  /** Sends events to the clients as they come, until it is interrupted. */
  get run(): Effect.Effect<never> {
    let wait = waits.shortest
    return Effect.forever(
      this.#latch.await.pipe(
        Effect.andThen(
          Effect.matchCauseEffect(this.#caughtUp, {
            onFailure: (cause) => {
              if (Cause.hasInterruptsOnly(cause)) return Effect.failCause(Cause.interrupt())
              const failed = wait
              wait = Math.min(2 * wait, waits.longest)
              this.#latch.openUnsafe()
              return failed === waits.shortest
                ? Effect.andThen(
                    Effect.logWarning(`Events of the topic ${this.topic} cannot be read`, cause),
                    Effect.sleep(failed)
                  )
                : Effect.sleep(failed)
            },
            onSuccess: () =>
              Effect.sync(() => {
                wait = waits.shortest
              })
          })
        )
      )
    )
  }

  /** Lets it look for further events. */
  readonly wake = (): void => {
    this.#latch.openUnsafe()
  }

  /** Watches the topic until the scope closes. */
  get watched(): Effect.Effect<void, never, Scope.Scope> {
    return this.#backend.watch(this.topic, this.wake)
  }

  get #caughtUp(): Effect.Effect<void, EventLogError> {
    return Effect.gen({ self: this }, function* () {
      for (;;) {
        this.#latch.closeUnsafe()
        const before = this.#position
        const page = yield* this.#backend.page(this.topic, before.sequence, pageSize)
        const found = advance(before, page)
        if (found.lost !== undefined) this.#reset(found.lost, found.position)
        else if (found.entries.length > 0) this.#deliver(found.entries, found.position)
        if (!found.isBehind) return
        if (isSame(before, this.#position)) yield* Effect.sleep(gapWait)
      }
    })
  }

  #deliver(entries: ReadonlyArray<Entry>, position: Position): void {
    const framed = this.#remember(entries, position.generation)
    const whole = Buffer.concat(framed.map(({ bytes }) => bytes))
    const first = entries[0]!.sequence
    this.#position = position
    for (const follower of this.#followers) {
      const { sequence } = follower.position
      if (sequence >= position.sequence) continue
      follower.position = position
      follower.receive(
        sequence < first
          ? whole
          : Buffer.concat(framed.filter((one) => one.sequence > sequence).map(({ bytes }) => bytes))
      )
    }
    this.#tell()
  }

  #reset(reason: "expired" | "unknown", position: Position): void {
    this.#position = position
    this.#recent = []
    this.#recentBytes = 0
    for (const follower of this.#followers) {
      follower.position = position
      follower.lost(reason, position)
    }
    this.#tell()
  }

  #tell(): void {
    for (const wake of this.#waiting) wake()
  }

  #remember(entries: ReadonlyArray<Entry>, generation: number): ReadonlyArray<Framed> {
    const framed = entries.map((entry) => ({
      bytes: SseFrames.entry(entry, generation),
      sequence: entry.sequence
    }))
    for (const one of framed) {
      this.#recent.push(one)
      this.#recentBytes += one.bytes.length
    }
    while (this.#recent.length > recent.events || this.#recentBytes > recent.bytes) {
      this.#recentBytes -= this.#recent.shift()!.bytes.length
    }
    return framed
  }

  #after(sequence: number): ReadonlyArray<Buffer> {
    return this.#recent.filter((one) => one.sequence > sequence).map(({ bytes }) => bytes)
  }
}

const isSame = (a: Position, b: Position): boolean =>
  a.generation === b.generation && a.sequence === b.sequence
