/** The backend in the memory of the process. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import {
  ObjectNotFound,
  ObjectPreconditionFailed,
  ObjectStoreUnavailable
} from "../../Contract/ObjectErrors.ts"
import { type Backend, etagOf, mayReplace, resolve, unmet } from "./Backend.ts"
import * as Key from "./Key.ts"
import type { ObjectInfo } from "./ObjectStore.ts"

interface Kept {
  readonly bytes: Uint8Array
  readonly info: ObjectInfo
}

/** Bytes of an object beside its content and its texts. */
const overhead = 1024

/** The bytes of one element of a stream. */
const pieceSize = 65_536

const sizeOf = ({ bytes, info: { contentType, key, metadata } }: Kept): number =>
  overhead + bytes.length + 2 * (key.length + contentType.length + JSON.stringify(metadata).length)

function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceSize) yield bytes.subarray(at, at + pieceSize)
}

/** Creates a backend whose objects, with those that are being written, take at most `maxMemory` bytes. */
export const make = (maxMemory: number): Backend => {
  const objects = new Map<string, Kept>()
  let used = 0
  const full = new ObjectStoreUnavailable({
    operation: "put",
    reason: `the store in memory is full: raise objectStore.maxMemory above ${maxMemory} bytes, or set objectStore.backend to "directory" or "s3"`
  })
  const find = (key: string): Effect.Effect<Kept, ObjectNotFound> =>
    Effect.suspend(() => {
      const found = objects.get(key)
      return found === undefined ? Effect.fail(new ObjectNotFound({ key })) : Effect.succeed(found)
    })
  /** Replaces an object. Returns whether there is room. */
  const keep = (key: string, next: Kept): boolean => {
    const before = objects.get(key)
    const change = sizeOf(next) - (before === undefined ? 0 : sizeOf(before))
    if (used + change > maxMemory) return false
    used += change
    objects.set(key, next)
    return true
  }
  return {
    copy: Effect.fnUntraced(function* (from, to) {
      const { bytes, info } = yield* find(from)
      const lastModified = new Date(yield* Clock.currentTimeMillis)
      if (!keep(to, { bytes, info: { ...info, key: to, lastModified } })) return yield* full
    }),
    delete: (key) =>
      Effect.sync(() => {
        const found = objects.get(key)
        if (found === undefined) return
        used -= sizeOf(found)
        objects.delete(key)
      }),
    get: Effect.fnUntraced(function* (key, options) {
      const { bytes, info } = yield* find(key)
      const failure = unmet(info, options)
      if (failure !== undefined) return yield* failure
      const range = options.range === undefined ? undefined : resolve(options.range, info.size)
      if (range !== undefined && "_tag" in range) return yield* range
      const part = range === undefined ? bytes : bytes.subarray(range.from, range.to + 1)
      return { info, range, stream: Stream.suspend(() => Stream.fromIterable(pieces(part))) }
    }),
    head: (key) => Effect.map(find(key), ({ info }) => info),
    list: (prefix, after) =>
      Stream.suspend(() =>
        Stream.fromIterable(
          [...objects.values()]
            .map(({ info }) => info)
            .filter(
              ({ key }) =>
                key.startsWith(prefix) && (after === undefined || Key.compare(key, after) > 0)
            )
            .sort((a, b) => Key.compare(a.key, b.key))
        )
      ),
    name: "memory",
    ping: Effect.void,
    put: (key, upload, conditions) =>
      Effect.suspend(() => {
        const collected: Array<Uint8Array> = []
        let reserved = 0
        const collect = Stream.runForEachArray(upload.stream, (chunks) => {
          for (const chunk of chunks) {
            if (used + chunk.length > maxMemory) return Effect.fail(full)
            // A chunk may be a view of a larger buffer.
            collected.push(Uint8Array.from(chunk))
            used += chunk.length
            reserved += chunk.length
          }
          return Effect.void
        })
        const commit = Effect.gen(function* () {
          const lastModified = new Date(yield* Clock.currentTimeMillis)
          used -= reserved
          reserved = 0
          if (!mayReplace(objects.get(key)?.info.etag, conditions)) {
            return yield* new ObjectPreconditionFailed({ key })
          }
          const { contentType, metadata } = upload
          const bytes = Buffer.concat(collected)
          const etag = etagOf(upload.sha256())
          const info = { contentType, etag, key, lastModified, metadata, size: bytes.length }
          if (!keep(key, { bytes, info })) return yield* full
          return etag
        })
        return Effect.ensuring(
          Effect.andThen(collect, commit),
          Effect.sync(() => {
            used -= reserved
          })
        )
      }),
    signer: undefined
  }
}
