/** The service over a backend: keys are checked, and operations are measured and traced. */
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Metering from "../../Plugin/Metering.ts"
import type { Backend, Signer } from "./Backend.ts"
import * as Key from "./Key.ts"
import {
  type Expiry,
  PresignUnsupported,
  type Shape,
  type WriteFailure,
  type WriteOptions,
  type WrittenObject
} from "./ObjectStore.ts"
import * as Upload from "./Upload.ts"

/** The longest time of a presigned request: that of S3. */
const maxExpiry = Duration.days(7)

const resultOf = (cause: Cause.Cause<unknown>): string => {
  const [reason] = cause.reasons
  if (reason?._tag === "Interrupt") return "interrupted"
  if (reason?._tag !== "Fail") return "defect"
  const { error } = reason
  return typeof error === "object" && error !== null && "_tag" in error
    ? String(error._tag)
    : "failed"
}

/** Returns the seconds until a presigned request expires. Dies if S3 has no such time. */
const secondsOf = ({ expiresIn = "15 minutes" }: Expiry): number => {
  const duration = Duration.fromInputUnsafe(expiresIn)
  const isPossible = Duration.between(duration, {
    maximum: maxExpiry,
    minimum: Duration.seconds(1)
  })
  if (!isPossible) {
    throw new RangeError(
      `A presigned request cannot expire in ${Duration.format(duration)}. Write a time from 1 second to 7 days.`
    )
  }
  return Math.floor(Duration.toSeconds(duration))
}

/** Creates the service. `maxSize` is the longest content in bytes, unless `maxBytes` of `put` is set. */
export const make = (backend: Backend, maxSize: number): Effect.Effect<Shape> =>
  Effect.map(Effect.context<never>(), (context) => {
    const transferred = { in: 0, out: 0 }
    for (const direction of ["in", "out"] as const) {
      Metering.register(
        {
          attributes: { direction },
          description: "Bytes of objects that were written (in) and read (out)",
          id: "flange.object_store.bytes",
          read: () => transferred[direction],
          type: "counter",
          unit: "By"
        },
        context
      )
    }
    const duration = Metering.duration(
      context,
      "flange.object_store.duration",
      "Duration of operations of the object store. A read ends with its first byte"
    )
    const series = new Map<string, (value: number) => void>()
    const observed =
      (operation: string, key: string) =>
      <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
        Effect.suspend(() => {
          const began = performance.now()
          return Effect.onExit(effect, (exit) =>
            Effect.sync(() => {
              const result = exit._tag === "Success" ? "ok" : resultOf(exit.cause)
              const name = `${operation} ${result}`
              let record = series.get(name)
              if (record === undefined) {
                record = duration({ backend: backend.name, operation, result })
                // Errors of the caller's stream have names of their own.
                if (series.size < 100) series.set(name, record)
              }
              record((performance.now() - began) / 1000)
            })
          )
        }).pipe(
          Effect.withSpan(`object_store.${operation}`, {
            attributes: { "object_store.backend": backend.name, "object_store.key": key },
            kind: backend.name === "s3" ? "client" : "internal"
          })
        )
    const counted = <E, R>(stream: Stream.Stream<Uint8Array, E, R>, direction: "in" | "out") =>
      Stream.mapArray(stream, (chunks) => {
        for (const chunk of chunks) transferred[direction] += chunk.length
        return chunks
      })
    const signed = <A, E>(
      key: string,
      expiry: Expiry,
      sign: (signer: Signer, expiresIn: number) => Effect.Effect<A, E>
    ) =>
      Effect.gen(function* () {
        yield* Key.check(key)
        const { name, signer } = backend
        if (signer === undefined) return yield* new PresignUnsupported({ backend: name })
        const expiresIn = yield* Effect.sync(() => secondsOf(expiry))
        const now = yield* Clock.currentTimeMillis
        const request = yield* sign(signer, expiresIn)
        return { ...request, expiresAt: new Date(now + expiresIn * 1000) }
      }).pipe(observed("presign", key))

    function put(
      key: string,
      content: string | Uint8Array,
      options?: WriteOptions
    ): Effect.Effect<WrittenObject, WriteFailure>
    function put<E, R>(
      key: string,
      content: Stream.Stream<Uint8Array, E, R>,
      options?: WriteOptions
    ): Effect.Effect<WrittenObject, E | WriteFailure, R>
    function put<E, R>(
      key: string,
      content: Stream.Stream<Uint8Array, E, R> | string | Uint8Array,
      options: WriteOptions = {}
    ): Effect.Effect<WrittenObject, E | WriteFailure, R> {
      return Effect.gen(function* () {
        yield* Key.check(key)
        const upload = yield* Upload.open(content, options, maxSize)
        const stream = counted(upload.stream, "in")
        const etag = yield* backend.put(key, { ...upload, stream }, options)
        const { contentType, sha256, size } = upload
        return { contentType, etag, key, sha256: sha256(), size: size() }
      }).pipe(Effect.scoped, observed("put", key))
    }

    return {
      backend: backend.name,
      copy: (from, to) =>
        Effect.all([Key.check(from), Key.check(to)]).pipe(
          Effect.andThen(backend.copy(from, to)),
          observed("copy", from)
        ),
      delete: (key) =>
        Key.check(key).pipe(Effect.andThen(backend.delete(key)), observed("delete", key)),
      get: (key, options = {}) =>
        Key.check(key).pipe(
          Effect.andThen(backend.get(key, options)),
          Effect.map((found) => ({ ...found, stream: counted(found.stream, "out") })),
          observed("get", key)
        ),
      head: (key) => Key.check(key).pipe(Effect.andThen(backend.head(key)), observed("head", key)),
      list: (prefix, { after } = {}) =>
        Stream.concat(
          Stream.fromEffectDrain(
            Effect.andThen(
              Key.checkPrefix(prefix),
              after === undefined ? Effect.void : Key.check(after)
            )
          ),
          backend.list(prefix, after)
        ),
      ping: backend.ping,
      presignGet: (key, options = {}) =>
        signed(key, options, (signer, expiresIn) =>
          signer.get(key, options.contentDisposition, expiresIn)
        ),
      presignPost: (key, options) =>
        signed(key, options, (signer, expiresIn) =>
          signer.post(key, { ...options, minBytes: options.minBytes ?? 0 }, expiresIn)
        ),
      presignPut: (key, options) =>
        signed(key, options, (signer, expiresIn) => signer.put(key, options, expiresIn)),
      put
    }
  })
