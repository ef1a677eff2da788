/** The queue of one signal, and its way to the collector. */
import { Reader } from "../../../Server/Exchange/PlainData.ts"
import type { Format, Resource, Signal } from "../Otlp/Envelope.ts"
import type { Sink } from "../Otlp/Sink.ts"
import type { Losses } from "./Losses.ts"
import * as Post from "./Post.ts"

/** The options of an exporter. Times are in milliseconds. */
export interface ExporterOptions<Record> {
  /** The most records of one request. */
  readonly batchSize: number
  /** How long a record waits for others. */
  readonly delay: number
  /** Writes a record and returns how many it counts as. */
  readonly encode: (sink: Sink, record: Record) => number
  /** How long one batch is tried. */
  readonly exportTimeout: number
  readonly format: Format
  readonly losses: Losses
  /** The most bytes that wait. */
  readonly maxBytes: number
  /** The most records that wait. */
  readonly maxRecords: number
  readonly resource: Resource
  readonly signal: Signal
  readonly target: Post.Target
}

/** Encoded records of one request. */
interface Batch {
  readonly count: number
  readonly records: Uint8Array<ArrayBuffer>
}

/** A request has about so many bytes at most, before it is compressed. */
const batchBytes = 1024 * 1024

/** The waits between tries, in milliseconds. */
const firstWait = 1000
const longestWait = 5000

/** The longest wait that a collector may ask for. */
const longestDelay = 60_000

/**
 * Sends records in batches, one request at a time. Records are encoded at once, so that the bytes
 * that wait are known; if they are too many, further records are dropped.
 */
export class Exporter<Record> {
  /** Why the last request failed; empty if it did not. */
  #cause = ""
  readonly #connection: Post.Connection
  /** The records in the sink. */
  #count = 0
  /** How many records the collector took. */
  exported = 0
  #isClosing = false
  /** Whether the last request failed for a reason that may pass. */
  #isFailing = false
  /** Whether the time to send what waits is over. */
  #isOver = false
  #isSending = false
  readonly #options: ExporterOptions<Record>
  /** The bytes and records of the queue, with those of the batch that is sent. */
  #queuedBytes = 0
  #queuedRecords = 0
  #queue: Array<Batch> = []
  readonly #sink: Sink
  #timer: NodeJS.Timeout | undefined
  /** Ends the wait before the next try. */
  #wake: () => void = () => {}
  readonly #whenIdle: Array<() => void> = []

  constructor(options: ExporterOptions<Record>) {
    this.#connection = new Post.Connection(options.target)
    this.#options = options
    this.#sink = options.format.make()
  }

  /** Whether no record waits. */
  get isIdle(): boolean {
    return !this.#isSending && this.#count === 0
  }

  /** Where the records go. */
  get url(): string {
    return this.#options.target.url
  }

  /** Adds a record. Never throws. */
  append(record: Record): void {
    const { batchSize, delay, encode, losses, maxBytes, maxRecords, signal } = this.#options
    const sink = this.#sink
    const before = sink.length
    if (this.#isClosing) return losses.add(signal, "closed", 1)
    const full = () => losses.add(signal, "queue_full", 1, this.#cause)
    if (this.#queuedBytes + before >= maxBytes || this.#queuedRecords + this.#count >= maxRecords) {
      return full()
    }
    let count: number
    try {
      count = encode(sink, record)
    } catch (error) {
      sink.reset(before)
      return losses.add(signal, "encoding", 1, new Reader().error(error).message)
    }
    if (this.#queuedBytes + sink.length > maxBytes) {
      sink.reset(before)
      return full()
    }
    this.#count += count
    if (sink.length >= batchBytes || this.#count >= batchSize) this.flush()
    else if (this.#timer === undefined) {
      this.#timer = setTimeout(() => this.flush(), delay)
      this.#timer.unref()
    }
  }

  /** Begins to send the records that wait. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#count > 0) {
      const batch = { count: this.#count, records: this.#sink.take() }
      this.#count = 0
      this.#queuedBytes += batch.records.length
      this.#queuedRecords += batch.count
      this.#queue.push(batch)
    }
    if (!this.#isSending && this.#queue.length > 0) void this.#send()
  }

  /** Sends the records that wait, for at most `timeout` milliseconds. The rest is lost. */
  async close(timeout: number): Promise<void> {
    this.#isClosing = true
    this.flush()
    this.#wake()
    if (!this.#isSending) return this.#connection.close()
    const timer = setTimeout(() => {
      this.#isOver = true
      this.#connection.abort(`no reply within ${timeout} ms`)
    }, timeout)
    await new Promise<void>((resolve) => this.#whenIdle.push(resolve))
    clearTimeout(timer)
    this.#connection.close()
  }

  async #send(): Promise<void> {
    this.#isSending = true
    for (let batch = this.#queue[0]; batch !== undefined; batch = this.#queue[0]) {
      await this.#deliver(batch)
      this.#queue.shift()
      this.#queuedBytes -= batch.records.length
      this.#queuedRecords -= batch.count
    }
    this.#isSending = false
    for (const done of this.#whenIdle) done()
  }

  /** Sends a batch until the collector takes it, refuses it, or the time is over. */
  async #deliver({ count, records }: Batch): Promise<void> {
    const { exportTimeout, format, losses, resource, signal, target } = this.#options
    const lost = () => losses.add(signal, this.#isClosing ? "closed" : "failed", count, this.#cause)
    // After a failed try nothing else is tried in an app that stops.
    if (this.#isOver || (this.#isClosing && this.#isFailing)) return lost()
    const until = performance.now() + exportTimeout
    const body = await this.#connection.body(format.wrap(signal, resource, records))
    for (let wait = firstWait; ; wait = Math.min(longestWait, wait * 2)) {
      // The time may end while a body is compressed.
      if (this.#isOver) return lost()
      const outcome = await this.#connection.post(format.contentType, body)
      this.#isFailing = outcome._tag === "Retryable"
      if (outcome._tag === "Accepted") {
        const { rejected } = outcome
        this.#cause = ""
        if (rejected !== undefined) {
          losses.add(signal, "rejected", Math.min(count, rejected.count), rejected.message)
        }
        this.exported += count - Math.min(count, rejected?.count ?? 0)
        return
      }
      this.#cause = `${outcome.cause} from ${target.url}`
      if (outcome._tag === "Refused" || this.#isClosing) return lost()
      if (this.exported === 0) losses.unreachable(this.#cause)
      // Several instances must not come back at the same moment.
      const jittered = wait * (0.8 + Math.random() * 0.4)
      // A collector that asks for less, or for a time in the past, is not tried faster and faster.
      const pause = Math.min(Math.max(outcome.delay ?? 0, jittered), longestDelay)
      const left = until - performance.now()
      if (left <= 0 || (outcome.delay === undefined && left < pause)) return lost()
      await this.#pause(pause)
    }
  }

  #pause(millis: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, millis)
      timer.unref()
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
