/**
 * The short files of a directory that were sent last. A file is sent from memory only if it is the same on disk, so
 * this saves the calls that open, read and close it.
 */

import type { BigIntStats } from "node:fs"
import { stat } from "node:fs/promises"

/** What is known of a kept file. */
interface File {
  readonly path: string
  /** Bytes. */
  readonly size: number
}

/** The bytes of all files. */
const maxBytes = 16 * 2 ** 20

/** Bytes for what comes with a file. */
const overhead = 512

/** The most paths that are known to have no file. */
const maxAbsent = 10_000

/** Short files by their paths. */
export class KeptFiles<A extends File> {
  #bytes = 0
  // The keys of a map have the order in which they were set.
  readonly #files = new Map<string, A>()
  /** The folders in which a path had no file, as they were then. */
  readonly #absent = new Map<string, string>()
  readonly #asked = new Map<string, Promise<BigIntStats>>()

  /**
   * Returns what is at a path. Requests that have arrived together ask once, and the system is asked after each of
   * them has arrived.
   */
  stat(path: string): Promise<BigIntStats> {
    const asked = this.#asked.get(path)
    if (asked !== undefined) return asked
    const asking = new Promise<void>((resolve) => {
      setImmediate(resolve)
    }).then(() => {
      this.#asked.delete(path)
      return stat(path, { bigint: true })
    })
    this.#asked.set(path, asking)
    return asking
  }

  /** Whether a path had no file when its folder was as it is now. */
  isAbsent(path: string, folder: string): boolean {
    return this.#absent.get(path) === folder
  }

  setAbsent(path: string, folder: string): void {
    if (this.#absent.size >= maxAbsent) this.#absent.clear()
    this.#absent.set(path, folder)
  }

  get(path: string): A | undefined {
    const file = this.#files.get(path)
    if (file !== undefined) {
      this.#files.delete(path)
      this.#files.set(path, file)
    }
    return file
  }

  set(file: A): void {
    this.#delete(file.path)
    this.#files.set(file.path, file)
    this.#bytes += sizeOf(file)
    for (const path of this.#files.keys()) {
      if (this.#bytes <= maxBytes) return
      this.#delete(path)
    }
  }

  #delete(path: string): void {
    const file = this.#files.get(path)
    if (file === undefined) return
    this.#files.delete(path)
    this.#bytes -= sizeOf(file)
  }
}

const sizeOf = ({ path, size }: File): number => size + 2 * path.length + overhead
