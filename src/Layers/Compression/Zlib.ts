/** Compresses bodies with `node:zlib`. */
import type { Transform } from "node:stream"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import type { Coding } from "./CompressionConfig.ts"

// The import statement would also evaluate the module's lazy parts.
const zlib = process.getBuiltinModule("node:zlib")

const { constants } = zlib

/** The level of gzip: half the time of the level 6, for bodies that are 7% longer. */
const gzip = { level: 4 }

/** The level of Zstandard: as small as Brotli at 4, in half the time. */
const zstd = { params: { [constants.ZSTD_c_compressionLevel]: 3 } }

/** The quality of Brotli. With the default of Node, 11, a page of 12 kB takes 31 ms. */
const brotli = (size: number) => ({
  params: {
    [constants.BROTLI_PARAM_QUALITY]: 4,
    [constants.BROTLI_PARAM_SIZE_HINT]: size
  }
})

/** The output of a compressor comes in pieces of this size. */
const chunkSize = 64 * 1024

/** Compresses a body while the event loop waits. */
export const sync = (coding: Coding, body: string | Uint8Array): Uint8Array => {
  switch (coding) {
    case "br":
      return zlib.brotliCompressSync(body, brotli(body.length))
    case "gzip":
      return zlib.gzipSync(body, gzip)
    case "zstd":
      return zlib.zstdCompressSync(body, zstd)
  }
}

/** A compressor of `node:zlib`. */
interface Compressor extends Transform {
  readonly flush: (kind: number, done: () => void) => void
}

const compressor = (coding: Coding, size: number): Compressor => {
  switch (coding) {
    case "br":
      return zlib.createBrotliCompress({ chunkSize, ...brotli(size) })
    case "gzip":
      return zlib.createGzip({ chunkSize, ...gzip })
    case "zstd":
      return zlib.createZstdCompress({ chunkSize, ...zstd })
  }
}

const flushKind: Readonly<Record<Coding, number>> = {
  br: constants.BROTLI_OPERATION_FLUSH,
  gzip: constants.Z_SYNC_FLUSH,
  zstd: constants.ZSTD_e_flush
}

/** Compresses a body in the thread pool. If it is interrupted, the compressor stops. */
export const async = (coding: Coding, body: string | Uint8Array): Effect.Effect<Uint8Array> =>
  Effect.callback((resume) => {
    const made = compressor(coding, body.length)
    const pieces: Array<Uint8Array> = []
    made.on("data", (piece: Uint8Array) => pieces.push(piece))
    made.once("end", () => resume(Effect.succeed(Buffer.concat(pieces))))
    made.once("error", (error) => resume(Effect.die(error)))
    made.end(body)
    return Effect.sync(() => made.destroy())
  })

/** The shortest time between two flushes, in milliseconds. */
const flushInterval = 20

/**
 * Compresses a stream in the thread pool. It reads the source only as fast as its own reader reads.
 * What the source has brought is flushed once the source waits, so that the reader gets it; a flush
 * waits until 20 ms after the last one, because each one makes the output longer.
 */
export const stream = (
  coding: Coding,
  source: Stream.Stream<Uint8Array, unknown>
): Stream.Stream<Uint8Array, unknown> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const made = yield* Effect.acquireRelease(
        Effect.sync(() => compressor(coding, 0)),
        (made) => Effect.sync(() => made.destroy())
      )
      let failure: Cause.Cause<unknown> | undefined
      // Without a listener, an error would end the process. `close` follows.
      made.on("error", (error) => (failure ??= Cause.die(error)))
      const flusher = new Flusher(made, flushKind[coding])
      const next = nextOf(made, () => failure)
      const pump = Effect.onExit(
        Stream.runForEachArray(source, (pieces) =>
          Effect.forEach(pieces, (piece) => write(made, flusher, piece), { discard: true })
        ),
        (exit) =>
          Effect.sync(() => {
            flusher.stop()
            if (Exit.isSuccess(exit)) return void made.end()
            // What the source has brought before it failed is sent.
            made.flush(flushKind[coding], () => {
              failure ??= exit.cause
              made.emit("readable")
            })
          })
      )
      yield* Effect.forkScoped(Effect.exit(pump))
      return Stream.fromPull(Effect.succeed(next))
    })
  )

/** Writes a piece and waits until the compressor has taken it. */
const write = (made: Compressor, flusher: Flusher, piece: Uint8Array): Effect.Effect<void> =>
  piece.length === 0
    ? Effect.void
    : Effect.callback((resume) => {
        flusher.stop()
        made.write(piece, (error) => {
          if (error) return resume(Effect.die(error))
          flusher.start()
          resume(Effect.void)
        })
      })

/** Flushes a compressor when its source waits. */
class Flusher {
  #last = 0
  readonly #kind: number
  readonly #made: Compressor
  #timer: NodeJS.Timeout | undefined

  constructor(made: Compressor, kind: number) {
    this.#kind = kind
    this.#made = made
  }

  /** Flushes soon, unless `stop` is called before. */
  start(): void {
    this.#timer = setTimeout(
      () => {
        this.#last = performance.now()
        this.#made.flush(this.#kind, () => {})
      },
      Math.max(0, this.#last + flushInterval - performance.now())
    )
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}

/** Returns the effect that reads the next piece of the output. */
const nextOf = (made: Compressor, failure: () => Cause.Cause<unknown> | undefined) => {
  let look = () => {}
  for (const event of ["close", "end", "readable"]) made.on(event, () => look())
  return Effect.callback<readonly [Uint8Array], unknown>((resume) => {
    const found = (next: Effect.Effect<readonly [Uint8Array], unknown>) => {
      look = () => {}
      resume(next)
    }
    look = () => {
      const piece = made.read() as Uint8Array | null
      if (piece !== null) return found(Effect.succeed([piece]))
      const cause = failure()
      if (cause !== undefined) found(Effect.failCause(cause))
      else if (made.readableEnded || made.destroyed) found(Cause.done())
    }
    look()
  })
}
