/** A file of a form while it comes: its first bytes decide about its type, and all of them are counted. */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { UploadTooLarge, UploadTypeRefused } from "../../Contract/FileErrors.ts"
import type { FileRules } from "../../Contract/Upload.ts"
import { baseName } from "../../Server/Exchange/BaseName.ts"
import * as Sniff from "../../Server/Exchange/Sniff.ts"

/** A file of a form that a destination takes. */
export interface IncomingFile {
  /** The media type that the first bytes show; what the client says counts only if they show none. */
  readonly contentType: string
  /** The name that the client gives, without folders and control characters. It is no safe path. */
  readonly name: string
  /** The name of the part in the form. */
  readonly part: string
  /** The content, which can be read once. It fails when the file is longer than its limit. */
  readonly stream: Stream.Stream<Uint8Array, UploadTooLarge>
}

/** What a client says of a file, and its content. */
export interface Given {
  readonly content: Stream.Stream<Uint8Array>
  readonly contentType: string
  readonly name: string
  readonly part: string
  /** The place of the file in the form. */
  readonly pointer: string
}

/** A file whose rest has to be read, because the next part comes after it. */
export interface Opened extends IncomingFile {
  readonly drain: Effect.Effect<void, UploadTooLarge>
  /** Whether it has neither a name nor content: a browser sends such a part for a field that is empty. */
  readonly isNothing: boolean
}

/** The longest name, in characters. */
const maxName = 255

const nameOf = (name: string): string => {
  // The ending of a name is at its end.
  const short = baseName(name).slice(-maxName).toWellFormed()
  return short === "" ? "file" : short
}

/** Reads the first bytes of a file, and decides about its type. */
export const open = (
  { content, contentType, name, part, pointer }: Given,
  { maxBytes, types }: FileRules
): Effect.Effect<Opened, UploadTooLarge | UploadTypeRefused, Scope.Scope> =>
  Effect.gen(function* () {
    let size = 0
    const pull = Effect.flatMap(yield* Stream.toPull(content), (chunks) => {
      for (const chunk of chunks) size += chunk.length
      return size > maxBytes
        ? Effect.fail(new UploadTooLarge({ limit: maxBytes, pointer }))
        : Effect.succeed(chunks)
    })
    const { head, rest, stream } = yield* Sniff.peek(pull)
    const isNothing = name === "" && size === 0
    const decided = Sniff.decide(head, types === undefined ? undefined : contentType, types)
    if (decided.type === undefined && !isNothing) {
      const { found } = decided
      return yield* new UploadTypeRefused({
        accepted: types ?? [],
        pointer,
        ...(found === undefined ? {} : { found })
      })
    }
    const drain = Effect.suspend(() => {
      const next: Effect.Effect<void, Cause.Done | UploadTooLarge> = Effect.suspend(() =>
        Effect.flatMap(rest, () => next)
      )
      return next.pipe(Pull.catchDone(() => Effect.void))
    })
    return {
      contentType: decided.type ?? "application/octet-stream",
      drain,
      isNothing,
      name: nameOf(name),
      part,
      stream
    }
  })
