/** What was not exported, counted and told. */
import type { Signal } from "../Otlp/Envelope.ts"

/** Why records were not exported. */
export type Reason = "closed" | "encoding" | "failed" | "queue_full" | "rejected" | "tail_full"

/** How often a warning is written at most, in milliseconds. */
const interval = 60_000

/** How long a first warning waits for further losses, in milliseconds. */
const gathering = 1000

const nouns = { logs: "log records", metrics: "metric points", traces: "spans" } as const

const because: Readonly<Record<Reason, string>> = {
  closed: "the app stopped before the collector took them",
  encoding: "a value of theirs could not be read",
  failed: "the collector did not take them",
  queue_full: "the queue was full",
  rejected: "the collector rejected them",
  tail_full: "too many spans waited for the end of their requests (telemetry.tail.maxSpans)"
}

/** Counts what was exported and what was lost, and warns of losses once a minute. */
export class Losses {
  #isClosed = false
  #last = -Infinity
  readonly #onCount: (signal: Signal, reason: Reason, count: number) => void
  #timer: NodeJS.Timeout | undefined
  readonly #untold = new Map<string, { cause: string; count: number; text: string }>()
  readonly #warn: (message: string) => void

  constructor(
    warn: (message: string) => void,
    onCount: (signal: Signal, reason: Reason, count: number) => void
  ) {
    this.#onCount = onCount
    this.#warn = warn
  }

  /** Counts records that are lost. `cause` is the last trouble with the collector. */
  add(signal: Signal, reason: Reason, count: number, cause = ""): void {
    if (count === 0) return
    this.#onCount(signal, reason, count)
    const key = `${signal} ${reason}`
    const entry = this.#untold.get(key) ?? { cause, count: 0, text: "" }
    entry.count += count
    if (cause !== "") entry.cause = cause
    entry.text = `${entry.count} ${nouns[signal]}, because ${because[reason]}${
      entry.cause === "" ? "" : ` (${entry.cause})`
    }`
    this.#untold.set(key, entry)
    if (this.#isClosed || this.#timer !== undefined) return
    const wait = Math.max(gathering, this.#last + interval - performance.now())
    this.#timer = setTimeout(() => this.#tell(), wait)
    this.#timer.unref()
  }

  /** Warns of the losses that were not told. */
  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#tell()
  }

  #tell(): void {
    this.#timer = undefined
    if (this.#untold.size === 0) return
    this.#last = performance.now()
    const texts = [...this.#untold.values()].map(({ text }) => text)
    this.#untold.clear()
    this.#warn(`Telemetry was not exported: ${texts.join("; ")}.`)
  }
}
