/** Checks the content of an upload while it is read. */
import { createHash } from "node:crypto"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import {
  ObjectChecksumMismatch,
  ObjectTooLarge,
  ObjectTypeRefused
} from "../../Contract/ObjectErrors.ts"
import * as Sniff from "../../Server/Exchange/Sniff.ts"
import type { Upload } from "./Backend.ts"
import type { WriteOptions } from "./ObjectStore.ts"

type Refused = ObjectChecksumMismatch | ObjectTooLarge | ObjectTypeRefused

/** Text of one header line: a media type, or the value of a metadata field. */
const isLine = (text: string): boolean => /^[\x20-\x7e]*$/.test(text)

/** Throws if an option cannot be stored. */
const check = ({ contentType, ifNoneMatch, metadata = {}, sha256 }: WriteOptions): void => {
  if (contentType !== undefined && !/^[\w.+-]+\/[\w.+-][\x20-\x7e]*$/.test(contentType)) {
    throw new TypeError(
      `The contentType ${JSON.stringify(contentType)} is no media type. Write one such as "image/png".`
    )
  }
  if (sha256 !== undefined && !/^[\da-f]{64}$/.test(sha256)) {
    throw new TypeError(
      `The sha256 ${JSON.stringify(sha256)} is no digest. Write 64 lower-case hexadecimal digits.`
    )
  }
  if (ifNoneMatch !== undefined && ifNoneMatch !== "*") {
    throw new TypeError(
      `The ifNoneMatch ${JSON.stringify(ifNoneMatch)} of a write is refused. Write "*", which creates an object, or ifMatch with an entity tag.`
    )
  }
  let size = 0
  for (const [name, value] of Object.entries(metadata)) {
    if (!/^[\da-z][\da-z-]*$/.test(name) || !isLine(value) || value !== value.trim()) {
      throw new TypeError(
        `The metadata ${JSON.stringify(name)} is refused. Write names of lower-case letters, digits and -, and values of printable ASCII without blanks around them.`
      )
    }
    size += name.length + value.length
  }
  if (size > 2048) {
    throw new TypeError(
      `The metadata has ${size} bytes, and at most 2048 are stored. Store the rest in a database.`
    )
  }
}

/** Returns the type to store, or why the content is refused. */
const typeOf = (
  head: Uint8Array,
  { contentType, types }: WriteOptions
): ObjectTypeRefused | string => {
  const decided = Sniff.decide(head, contentType, types)
  if (decided.type !== undefined) return decided.type
  const { found } = decided
  return new ObjectTypeRefused({ accepted: types ?? [], ...(found === undefined ? {} : { found }) })
}

/** An upload that knows how long it was. */
interface Measured<E> extends Upload<E, never> {
  /** Returns the bytes that were read. */
  readonly size: () => number
}

/**
 * Opens content, and reads its first bytes. The stream of the upload fails if the content is longer than
 * `maxBytes`, and at its end if it has another digest. Dies with a `TypeError` if an option cannot be stored.
 */
export const open = <E, R>(
  content: Stream.Stream<Uint8Array, E, R> | string | Uint8Array,
  options: WriteOptions,
  maxSize: number
): Effect.Effect<Measured<E | Refused>, E | Refused, R | Scope.Scope> =>
  Effect.gen(function* () {
    yield* Effect.sync(() => check(options))
    const limit = options.maxBytes ?? maxSize
    const source: Stream.Stream<Uint8Array, E, R> =
      typeof content === "string"
        ? Stream.make(new TextEncoder().encode(content))
        : content instanceof Uint8Array
          ? Stream.make(content)
          : content
    const hash = createHash("sha256")
    let digest: string | undefined
    let size = 0
    const pull = Effect.matchCauseEffect(yield* Stream.toPull(source), {
      onFailure: (cause): Effect.Effect<never, Cause.Done | E | ObjectChecksumMismatch> => {
        if (!Pull.isDoneCause(cause)) return Effect.failCause(cause)
        digest ??= hash.digest("hex")
        const expected = options.sha256
        return expected === undefined || expected === digest
          ? Effect.failCause(cause)
          : Effect.fail(new ObjectChecksumMismatch({ actual: digest, expected }))
      },
      onSuccess: (chunks) => {
        for (const chunk of chunks) size += chunk.length
        if (size > limit) return Effect.fail(new ObjectTooLarge({ limit }))
        for (const chunk of chunks) hash.update(chunk)
        return Effect.succeed(chunks)
      }
    })
    const { head, stream } = yield* Sniff.peek(pull)
    const contentType = typeOf(head, options)
    if (typeof contentType !== "string") return yield* contentType
    return {
      contentType,
      metadata: options.metadata ?? {},
      sha256: () => (digest ??= hash.digest("hex")),
      size: () => size,
      stream
    }
  })
