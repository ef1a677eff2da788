/** Parts of a stream of bytes. */
import * as Array from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"

type Pulled<E> = Pull.Pull<Array.NonEmptyReadonlyArray<Uint8Array>, E>

/** Returns the bytes in parts of exactly `size` bytes. The last one may be shorter, and is not empty. */
export const of = <E, R>(
  stream: Stream.Stream<Uint8Array, E, R>,
  size: number
): Stream.Stream<Uint8Array, E, R> =>
  Stream.transformPull(stream, (pull) =>
    Effect.sync(() => {
      let waiting: Uint8Array[] = []
      let length = 0
      const take = (): ReadonlyArray<Uint8Array> => {
        if (length < size) return []
        const bytes = Buffer.concat(waiting)
        const parts: Uint8Array[] = []
        let at = 0
        for (; bytes.length - at >= size; at += size) parts.push(bytes.subarray(at, at + size))
        // A copy, so that the rest does not keep the parts in memory.
        waiting = [Uint8Array.from(bytes.subarray(at))]
        length = bytes.length - at
        return parts
      }
      let isDone = false
      const next: Pulled<E> = Effect.suspend((): Pulled<E> => (isDone ? Cause.done() : pull)).pipe(
        Effect.flatMap((chunks): Pulled<E> => {
          for (const chunk of chunks) {
            waiting.push(chunk)
            length += chunk.length
          }
          const parts = take()
          return Array.isReadonlyArrayNonEmpty(parts) ? Effect.succeed(parts) : next
        }),
        Pull.catchDone((): Pulled<E> => {
          isDone = true
          const isEmpty = length === 0
          length = 0
          return isEmpty ? Cause.done() : Effect.succeed(Array.of(Buffer.concat(waiting)))
        })
      )
      return next
    })
  )
