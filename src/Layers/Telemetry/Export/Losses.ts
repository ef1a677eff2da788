/** Records that were not exported: their numbers, and the warnings in the log. */
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

/** The reasons. */
export const reasons = Object.keys(because) as ReadonlyArray<Reason>

/** Losses that were not told. */
interface Untold {
  cause: string
  count: number
  readonly reason: Reason
  readonly signal: Signal
}

const textOf = ({ cause, count, reason, signal }: Untold): string =>
  `${count} ${nouns[signal]}, because ${because[reason]}${cause === "" ? "" : ` (${cause})`}`

/** Counts what was lost, and warns of it once a minute. */
export class Losses {
  readonly #all = new Map<string, number>()
  #isClosed = false
  #isUnreachable = false
  #last = -Infinity
  #timer: NodeJS.Timeout | undefined
  readonly #untold = new Map<string, Untold>()
  readonly #warn: (message: string) => void

  constructor(warn: (message: string) => void) {
    this.#warn = warn
  }

  /** Returns how many records were lost for a reason. */
  of(signal: Signal, reason: Reason): number {
    return this.#all.get(`${signal} ${reason}`) ?? 0
  }

  /** Counts records that are lost. `cause` is the last trouble with the collector. */
  add(signal: Signal, reason: Reason, count: number, cause = ""): void {
    if (count === 0) return
    const key = `${signal} ${reason}`
    this.#all.set(key, this.of(signal, reason) + count)
    const untold = this.#untold.get(key) ?? { cause, count: 0, reason, signal }
    untold.count += count
    if (cause !== "") untold.cause = cause
    this.#untold.set(key, untold)
    if (this.#isClosed || this.#timer !== undefined) return
    const wait = Math.max(gathering, this.#last + interval - performance.now())
    this.#timer = setTimeout(() => this.#tell(), wait)
    this.#timer.unref()
  }

  /** Warns once of a collector that has not taken anything yet: its address may be wrong. */
  unreachable(cause: string): void {
    if (this.#isUnreachable) return
    this.#isUnreachable = true
    this.#warn(
      `The collector has taken nothing so far (${cause}). Telemetry waits and is tried again; what is too old or too much is dropped. Check telemetry.endpoint, or OTEL_EXPORTER_OTLP_ENDPOINT.`
    )
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
    const texts = [...this.#untold.values()].map(textOf)
    this.#untold.clear()
    this.#warn(`Telemetry was not exported: ${texts.join("; ")}.`)
  }
}
