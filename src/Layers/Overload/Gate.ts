/** The gate in front of handlers: admits requests, lets them wait, or refuses them. */
import type { Concurrency } from "./Concurrency.ts"
import type { Priority } from "./Contract.ts"
import { Standing } from "./Standing.ts"
import type { Waiting } from "./Waiting.ts"
import { Line, type Reason } from "./Waiting.ts"

/**
 * How long handlers run in one turn of the event loop before requests that have arrived meanwhile are
 * read, in milliseconds; longer if reading takes longer, so that a flood does not keep handlers from
 * running.
 */
const slice = 1

/** The longest such time, in milliseconds. */
const longestSlice = 10

/** The most turns in a row that only read requests; they end after `slice` too. */
const mostReading = 8

/** The longest time from one slice to the next that counts, in milliseconds. */
const longest = 100

/** Every so many admissions, the least important request that waits is next. */
const turnOfLast = 8

/** The settings of a gate; times are in milliseconds. */
export interface Options {
  readonly concurrency: Concurrency
  /** Calls back once the event loop has read what has arrived. */
  readonly defer: (then: () => void) => void
  readonly maxQueue: number
  readonly maxWait: number
  /** Reads a monotonic clock. */
  readonly now: () => number
}

const priorities = ["critical", "normal", "sheddable"] as const

/**
 * Admits requests while the limit of concurrency and the event loop allow it. The others wait: the
 * oldest is next, or the newest if the app is overloaded, because the client of the newest is the most
 * likely to wait still.
 *
 * Handlers that compute run one at a time, so the limit alone would never be reached: requests would
 * wait unread in the buffers of sockets. So handlers run for a short time in each turn of the event loop,
 * and then the loop reads what has arrived. Requests thus wait here, where their wait is measured.
 */
export class Gate {
  readonly standing = new Standing()
  /** When the last handlers began; undefined if no request waited after them. */
  #admittedAt: number | undefined
  #arrived = 0
  /** The mean time from one slice of handlers to the next while requests wait, in milliseconds. */
  #cycle = 0
  readonly #lines = { critical: new Line(), normal: new Line(), sheddable: new Line() }
  /** Whether nothing has come in the last turn and nothing waits. It is known under overload only. */
  #isIdle = false
  #isScheduled = false
  readonly #options: Options
  /** The requests of this turn that were let through although the queue is full. */
  #rising = 0
  #readingSince = 0
  #seen = 0
  #taken = 0
  #turnsRead = 0
  /** How long handlers ran in the turn before, when nothing was read. */
  #unread = 0
  /** When the first handler of this turn began; undefined if no handler has. */
  #turnSince: number | undefined

  constructor(options: Options) {
    this.#options = options
  }

  /** How many requests wait. */
  get queued(): number {
    const { critical, normal, sheddable } = this.#lines
    return critical.size + normal.size + sheddable.size
  }

  /** How long a request may wait now, in milliseconds. */
  get patience(): number {
    const { maxWait } = this.#options
    return this.standing.isOverloaded ? Math.min(maxWait, this.#target) : maxWait
  }

  get #target(): number {
    return Standing.target(Math.max(this.#options.concurrency.mean, this.#cycle))
  }

  /**
   * Checks whether a request of this priority would be refused anyway. It costs nothing, so call it
   * before the request is authenticated and its body is read. `mayRise` is whether its caller may turn
   * out to be more important. In each turn of the event loop, a few such requests are let through to
   * authentication.
   */
  isFull(priority: Priority, mayRise = false): boolean {
    const { queued } = this
    if (queued >= this.#options.maxQueue) return this.#worst(priority) === undefined
    if (!this.standing.isOverloaded || priority === "critical") return false
    // More requests than these would wait for too long.
    const most = Math.max(4, 2 * this.standing.rate * this.#target)
    if (queued < (priority === "normal" ? most : most / 2)) return false
    return !mayRise || ++this.#rising > most
  }

  /** Counts a request that `isFull` has refused. */
  refuse(): void {
    this.standing.refused(this.#target, this.#options.now())
  }

  /** Admits a request if it need not wait. Returns whether it did. */
  tryEnter(): boolean {
    const { concurrency, now } = this.#options
    if (concurrency.isReached || this.queued > 0) return false
    const wasIdle = this.#isIdle
    this.#isIdle = false
    // More important ones may have come in the same turn.
    if (this.standing.isOverloaded && !wasIdle) return false
    const time = now()
    this.#arrived++
    if (this.#turnSince === undefined) {
      this.#turnSince = time
      this.#schedule()
    } else if (time - this.#turnSince >= slice) return false
    this.standing.admitted(0, this.#target, time, wasIdle)
    return true
  }

  /** Lets a request wait, or refuses it if the queue is full. */
  wait(waiting: Waiting, priority: Priority): void {
    const { maxQueue, now } = this.#options
    this.#arrived++
    if (this.queued >= maxQueue) {
      const displaced = this.#worst(priority)
      if (displaced === undefined) return this.#end(waiting, "queue_full")
      this.#end(displaced, "displaced")
    }
    const time = now()
    // A request that is read after handlers have run came while they ran: in the mean, half that time ago.
    const ran = this.#turnSince === undefined ? 0 : time - this.#turnSince
    waiting.since = time - Math.max(this.#unread, ran) / 2
    this.#lines[priority].add(waiting)
    this.#schedule()
  }

  /** Takes a request out whose client has gone away. */
  leave(waiting: Waiting): void {
    waiting.line?.remove(waiting)
  }

  /** Lets the next requests in, after a request has ended. */
  advance(): void {
    if (this.queued > 0) this.#schedule()
  }

  /** Refuses the requests that have waited too long. */
  sweep(): void {
    const latest = this.#options.now() - this.patience
    for (const priority of priorities) {
      const line = this.#lines[priority]
      for (let { oldest } = line; oldest !== undefined && oldest.since <= latest;) {
        this.#end(oldest, "waited_too_long")
        oldest = line.oldest
      }
    }
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#options.defer(this.#turn)
  }

  readonly #turn = (): void => {
    this.#isScheduled = false
    const hasRead = this.#arrived !== this.#seen
    this.#seen = this.#arrived
    const time = this.#options.now()
    this.#unread = this.#turnSince === undefined ? 0 : time - this.#turnSince
    this.#turnSince = undefined
    if (this.queued === 0) {
      // What comes in the next turn came while a handler ran.
      if (this.standing.isOverloaded && hasRead) this.#schedule()
      else this.#isIdle = true
      return
    }
    if (hasRead && this.#isReading(time)) return this.#schedule()
    this.#rising = this.#turnsRead = 0
    const cycle = this.#admittedAt === undefined ? 0 : Math.min(time - this.#admittedAt, longest)
    if (cycle > 0) this.#cycle += (cycle - this.#cycle) / 20
    this.#admit(time, Math.min(longestSlice, Math.max(slice, cycle / 2)))
    this.sweep()
    this.#admittedAt = this.queued > 0 ? time : undefined
    this.#unread += this.#options.now() - time
    const { concurrency } = this.#options
    // Under overload the next turn tells whether the app is idle.
    if (this.queued > 0 ? !concurrency.isReached : this.standing.isOverloaded) this.#schedule()
  }

  /**
   * Checks whether the loop should read what has come before the next handler runs. More may be on its
   * way: a server takes one connection in each turn, and reads from it in the next one.
   */
  #isReading(time: number): boolean {
    if (this.#turnsRead === 0) this.#readingSince = time
    return ++this.#turnsRead <= mostReading && time - this.#readingSince < slice
  }

  #admit(start: number, length: number): void {
    const { concurrency, now } = this.#options
    for (let time = start; time - start < length && !concurrency.isReached; time = now()) {
      const waiting = this.#next()
      if (waiting === undefined) return
      const waited = Math.max(0, time - waiting.since)
      if (waited >= this.patience) {
        this.#end(waiting, "waited_too_long")
        continue
      }
      this.standing.admitted(waited, this.#target, time)
      this.#end(waiting, undefined)
    }
  }

  #next(): Waiting | undefined {
    const { critical, normal, sheddable } = this.#lines
    const all = [critical, normal, sheddable].filter(({ size }) => size > 0)
    const isLast = all.length > 1 && ++this.#taken % turnOfLast === 0
    const line = isLast ? all.at(-1) : all[0]
    return this.standing.isOverloaded ? line?.newest : line?.oldest
  }

  /** Returns the oldest request that is less important than this priority. */
  #worst(priority: Priority): Waiting | undefined {
    const { normal, sheddable } = this.#lines
    if (priority === "sheddable") return undefined
    return sheddable.oldest ?? (priority === "critical" ? normal.oldest : undefined)
  }

  #end(waiting: Waiting, refused: Reason | undefined): void {
    this.leave(waiting)
    if (refused !== undefined) this.standing.refused(this.#target, this.#options.now())
    waiting.resume(refused)
  }
}
