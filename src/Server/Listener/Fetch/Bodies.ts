/** Reads the bodies of requests of a runtime into memory. */
import { Bag } from "../../Exchange/Bag.ts"
import type { BodyFailure } from "../../Exchange/Wire.ts"
import { Collector } from "../Collector.ts"

const nothing = new Uint8Array(0)

/** A body that has not arrived. */
interface Reading {
  readonly begun: number
  readonly late: () => void
}

/** The bodies that are being read. */
export class Bodies {
  readonly #limit: number
  readonly #reading = new Bag<Reading>()

  /** `limit` is the longest time in which a whole body has to arrive, in milliseconds. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Calls `late` of each body that takes too long. Call it at intervals. */
  tick(): void {
    const now = performance.now()
    for (const { begun, late } of this.#reading.values) if (now - begun >= this.#limit) late()
  }

  /** Reads a whole body and calls back once. Calls `onLate` before, if it takes too long. */
  read(
    source: Request,
    limit: number,
    done: (body: BodyFailure | Uint8Array) => void,
    onLate: () => void
  ): void {
    const length = source.headers.get("content-length")
    // Without a length there may be a body: HTTP/2 has no field for it.
    if (length === "0") return done(nothing)
    if (Number(length) > limit) return done("TooLarge")
    const end = (body: BodyFailure | Uint8Array) => {
      if (remove()) done(body)
    }
    const remove = this.#reading.add({
      begun: performance.now(),
      late: () => {
        onLate()
        end("Aborted")
      }
    })
    const abort = () => end("Aborted")
    if (length !== null && /^\d+$/.test(length)) source.bytes().then(end, abort)
    else void collect(source, limit, end).catch(abort)
  }
}

/** Reads a body of unknown length piece by piece, and no more of it than the limit. */
const collect = async (
  { body }: Request,
  limit: number,
  end: (body: BodyFailure | Uint8Array) => void
): Promise<void> => {
  const collector = new Collector(limit, end)
  if (body !== null) {
    for await (const piece of body) {
      collector.data(piece)
      if (collector.isFull) return
    }
  }
  collector.end()
}
