/**
 * The short files of a directory that were sent last. A file is sent from memory only if it is the same on disk, so
 * this saves the calls that open, read and close it.
 */

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

/** Short files by their paths. */
export class KeptFiles<A extends File> {
  #bytes = 0
  // The keys of a map have the order in which they were set.
  readonly #files = new Map<string, A>()

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
