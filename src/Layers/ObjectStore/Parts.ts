/** Parts of a stream of bytes. */
import * as Array from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"

type Pulled<E> = Pull.Pull<Array.NonEmptyReadonlyArray<Uint8Array>, E>

/** Bytes that are collected without a buffer for a whole part, because most content is short. */
const short = 65_536

/**
 * Returns the bytes in parts of exactly `size` bytes. The last one may be shorter, and is not empty. The buffer
 * of a whole part is one of `free`, or a new one if there is none.
 */
export const of = <E, R>(
  stream: Stream.Stream<Uint8Array, E, R>,
  size: number,
  free: Uint8Array[]
): Stream.Stream<Uint8Array, E, R> =>
  Stream.transformPull(stream, (pull) =>
    Effect.sync(() => {
      let buffer: Uint8Array = new Uint8Array(short)
      let isDone = false
      let length = 0
      const add = (chunk: Uint8Array, parts: Uint8Array[]): void => {
        for (let at = 0; at < chunk.length;) {
          if (length === buffer.length) {
            const larger = free.pop() ?? new Uint8Array(size)
            larger.set(buffer)
            buffer = larger
          }
          const piece = chunk.subarray(at, at + buffer.length - length)
          buffer.set(piece, length)
          at += piece.length
          length += piece.length
          if (length < size) continue
          parts.push(buffer)
          buffer = new Uint8Array(short)
          length = 0
        }
      }
      const next: Pulled<E> = Effect.suspend((): Pulled<E> => (isDone ? Cause.done() : pull)).pipe(
        Effect.flatMap((chunks): Pulled<E> => {
          const parts: Uint8Array[] = []
          for (const chunk of chunks) add(chunk, parts)
          return Array.isReadonlyArrayNonEmpty(parts) ? Effect.succeed(parts) : next
        }),
        Pull.catchDone((): Pulled<E> => {
          if (isDone || length === 0) return Cause.done()
          isDone = true
          return Effect.succeed(Array.of(buffer.subarray(0, length)))
        })
      )
      return next
    })
  )
