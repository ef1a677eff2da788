/** Lines on their way out: collected, written off the request path, and bounded. */
import { writeSync } from "node:fs"
import * as Thrown from "../../Config/Thrown.ts"
import type { Drops, Reason } from "./Drops.ts"
import { stream, type Target } from "./Target.ts"

/** How lines are collected. */
export interface SinkOptions {
  /** The longest time that a line waits for others, in milliseconds; 0 writes each line at once. */
  readonly delay: number
  readonly drops: Drops
  /** What happens to a line if the buffer is full. */
  readonly full: "block" | "drop"
  /** The most bytes that wait. */
  readonly limit: number
  /** Returns the line that says how many were lost. */
  readonly notice: (lost: number, reason: Reason) => string
}

/** So many characters are written without waiting for more. */
const maxBatch = 65_536

/** The longest time between two attempts to write to a reader that is slow, in milliseconds. */
const maxRetry = 16

/** How long the end of the process waits for a reader that reads nothing, in milliseconds. */
const patience = 1000

/** The least time between two reports on stderr, in milliseconds. */
const quiet = 60_000

const cell = new Int32Array(new SharedArrayBuffer(4))

/** Blocks the thread. */
const sleep = (millis: number): void => void Atomics.wait(cell, 0, 0, millis)

const newline = 10

/** Writes lines to a target, many at once. */
export class Sink {
  readonly #options: SinkOptions
  readonly #target: Target
  /** Batches that wait for the reader. */
  #batches: Array<Buffer> = []
  /** The bytes in them. */
  #bytes = 0
  /** The lines of the next batch, and their characters. */
  #lines: Array<string> = []
  #characters = 0
  #isClosed = false
  /** Whether a line was written in part. */
  #isTorn = false
  readonly #lost: Record<Reason, number> = { failed: 0, full: 0 }
  #retry = 1
  #saidAt = -Infinity
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(target: Target, options: SinkOptions) {
    this.#target = target
    this.#options = options
  }

  /** Adds a line without its end. */
  readonly write = (line: string): void => {
    if (this.#characters + this.#bytes >= this.#options.limit) {
      if (this.#options.full === "drop") return this.#lose("full", 1)
      this.flush(Infinity)
    }
    this.#lines.push(line)
    this.#characters += line.length + 1
    if (this.#characters >= maxBatch || this.#isClosed || this.#options.delay === 0) this.#send()
    else this.#schedule(this.#options.delay)
  }

  /**
   * Writes everything that waits. Blocks the thread until the reader has taken it, or until it has
   * taken nothing for so many milliseconds.
   */
  flush(millis: number): void {
    let waited = 0
    let before = Infinity
    while (!this.#send()) {
      if (this.#bytes < before) waited = 0
      else if (waited >= millis) return
      before = this.#bytes
      sleep(1)
      waited++
    }
  }

  /** Writes what waits, at the end of the process or of the app. */
  end(): void {
    this.flush(this.#options.full === "block" ? Infinity : patience)
  }

  /** Writes what waits, and later lines at once. */
  close(): void {
    this.end()
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#target.close()
  }

  /** Opens the file again, such as after its rotation. */
  reopen(): void {
    this.#send()
    try {
      this.#target.reopen?.()
      this.#isTorn = false
    } catch (error) {
      this.#say("The log file could not be opened again, and the old one is written", error)
    }
  }

  #schedule(millis: number): void {
    if (this.#timer !== undefined) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#send()
    }, millis)
    // At the end of the process everything is written anyway.
    this.#timer.unref()
  }

  /** Writes as much as the reader takes. Returns whether nothing waits. */
  #send(): boolean {
    this.#encode()
    try {
      for (let batch = this.#batches[0]; batch !== undefined; batch = this.#batches[0]) {
        const written = writeSync(this.#target.fd(), batch)
        this.#bytes -= written
        this.#isTorn = batch[written - 1] !== newline
        if (written === batch.length) this.#batches.shift()
        else this.#batches[0] = batch.subarray(written)
      }
    } catch (error) {
      return this.#failed(error)
    }
    this.#retry = 1
    this.#report()
    return this.#lines.length === 0
  }

  #encode(): void {
    if (this.#lines.length === 0) return
    const batch = Buffer.from(
      `${this.#isTorn && this.#bytes === 0 ? "\n" : ""}${this.#lines.join("\n")}\n`
    )
    this.#lines = []
    this.#characters = 0
    this.#batches.push(batch)
    this.#bytes += batch.length
  }

  #failed(error: unknown): boolean {
    if (error instanceof Error && "code" in error && error.code === "EAGAIN") {
      // The reader is slow. A closed sink has no timer.
      if (!this.#isClosed) this.#schedule(this.#retry)
      this.#retry = Math.min(maxRetry, this.#retry * 2)
      return false
    }
    let lines = 0
    for (const batch of this.#batches) {
      for (let at = batch.indexOf(newline); at !== -1; at = batch.indexOf(newline, at + 1)) lines++
    }
    this.#batches = []
    this.#bytes = 0
    this.#lose("failed", lines)
    this.#say(`Log lines are lost: ${this.#target.name} cannot be written`, error)
    return true
  }

  #lose(reason: Reason, lines: number): void {
    this.#lost[reason] += lines
    this.#options.drops.add(reason, lines)
  }

  /** Writes into the log how many lines were lost, now that it can be written. */
  #report(): void {
    for (const reason of ["failed", "full"] as const) {
      const lost = this.#lost[reason]
      if (lost === 0) continue
      this.#lost[reason] = 0
      this.#lines.push(this.#options.notice(lost, reason))
      this.#characters += this.#lines.at(-1)!.length + 1
    }
    if (this.#lines.length > 0 && !this.#isClosed) this.#schedule(1)
  }

  /** Writes to stderr what is wrong, at most once a minute. */
  #say(what: string, error: unknown): void {
    const now = performance.now()
    if (now - this.#saidAt < quiet) return
    this.#saidAt = now
    try {
      // stderr may have the same reader, and then fails too.
      stream("stderr")
      process.stderr.write(`${what} (${Thrown.messageOf(error)}).\n`)
    } catch {
      // Nobody can be told.
    }
  }
}
