/** The media type that the first bytes of content show. */
import type { NonEmptyReadonlyArray } from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"

/** How many bytes `sniff` looks at. */
const length = 512

/** Texts in Latin-1 at their places in the first bytes, and the type that they show together. */
const signatures: ReadonlyArray<
  readonly [type: string, ...ReadonlyArray<readonly [number, string]>]
> = [
  ["image/png", [0, "\x89PNG\r\n\x1a\n"]],
  ["image/jpeg", [0, "\xff\xd8\xff"]],
  ["image/gif", [0, "GIF87a"]],
  ["image/gif", [0, "GIF89a"]],
  ["image/webp", [0, "RIFF"], [8, "WEBP"]],
  ["image/avif", [4, "ftypavif"]],
  ["image/avif", [4, "ftypavis"]],
  ["image/heic", [4, "ftyphei"]],
  ["image/heic", [4, "ftyphev"]],
  ["image/heic", [4, "ftypmif1"]],
  ["image/heic", [4, "ftypmsf1"]],
  ["image/bmp", [0, "BM"], [15, "\0\0\0"]],
  ["image/tiff", [0, "II*\0"]],
  ["image/tiff", [0, "MM\0*"]],
  ["image/x-icon", [0, "\0\0\x01\0"]],
  ["application/pdf", [0, "%PDF-"]],
  ["application/zip", [0, "PK\x03\x04"]],
  ["application/zip", [0, "PK\x05\x06"]],
  ["application/gzip", [0, "\x1f\x8b\x08"]],
  ["application/zstd", [0, "\x28\xb5\x2f\xfd"]],
  ["application/x-7z-compressed", [0, "7z\xbc\xaf\x27\x1c"]],
  ["application/x-executable", [0, "\x7fELF"]],
  ["application/x-executable", [0, "MZ"]],
  ["video/quicktime", [4, "ftypqt  "]],
  ["audio/mp4", [4, "ftypM4A "]],
  ["video/mp4", [4, "ftyp"]],
  ["video/webm", [0, "\x1aE\xdf\xa3"]],
  ["video/x-msvideo", [0, "RIFF"], [8, "AVI "]],
  ["audio/wav", [0, "RIFF"], [8, "WAVE"]],
  ["audio/mpeg", [0, "ID3"]],
  ["audio/mpeg", [0, "\xff\xf2"]],
  ["audio/mpeg", [0, "\xff\xf3"]],
  ["audio/mpeg", [0, "\xff\xfb"]],
  ["audio/flac", [0, "fLaC"]],
  ["application/ogg", [0, "OggS"]],
  ["font/woff2", [0, "wOF2"]],
  ["font/woff", [0, "wOFF"]]
]

const shown: ReadonlySet<string> = new Set([
  "application/xml",
  "image/svg+xml",
  "text/html",
  ...signatures.map(([type]) => type)
])

/** Checks whether the first bytes of content of a type show it. */
const isShown = (type: string): boolean => shown.has(type)

/** Texts that browsers may run. A text in another encoding than UTF-8 is not recognized. */
const markup = (text: string): string | undefined => {
  const start = text.replace(/^\xef\xbb\xbf/, "").trimStart()
  if (!start.startsWith("<")) return undefined
  if (/<svg[\s>]/i.test(start)) return "image/svg+xml"
  if (/^<\?xml/i.test(start)) return "application/xml"
  return /^<(?:!--|!doctype html|[a-z][\d a-z]*[\s/>])/i.test(start) ? "text/html" : undefined
}

/**
 * Returns the media type that the first bytes show; undefined if they show none. It knows common images,
 * audio, video, archives and fonts, PDF, HTML, SVG and XML. Formats inside ZIP,
 * such as the documents of office programs, are `application/zip`.
 */
const sniff = (bytes: Uint8Array): string | undefined => {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, length)).toString(
    "latin1"
  )
  const found = signatures.find(([, ...marks]) =>
    marks.every(([at, mark]) => text.startsWith(mark, at))
  )
  return found?.[0] ?? markup(text)
}

/** The media type of content, or the type because of which it is refused; undefined for none. */
type Decided =
  | { readonly found: string | undefined; readonly type: undefined }
  | { readonly type: string }

/**
 * Decides about the media type of content from its first bytes. With `types`, what the bytes show has to be
 * one of them, and comes before what is declared. Content that shows no type is of the declared type, if the
 * bytes of that type show nothing either.
 */
export const decide = (
  head: Uint8Array,
  declared: string | undefined,
  types: ReadonlyArray<string> | undefined
): Decided => {
  const found = sniff(head)
  if (types === undefined) return { type: declared ?? found ?? "application/octet-stream" }
  const essence = declared?.split(";")[0]?.trim().toLowerCase()
  if (found === undefined) {
    return declared !== undefined &&
      essence !== undefined &&
      types.includes(essence) &&
      !isShown(essence)
      ? { type: declared }
      : { found, type: undefined }
  }
  if (!types.includes(found)) return { found, type: undefined }
  return { type: essence === found && declared !== undefined ? declared : found }
}

type Chunks<E> = Pull.Pull<NonEmptyReadonlyArray<Uint8Array>, E>

/** Content whose first bytes have been read. */
export interface Peeked<E> {
  /** The first bytes, as `decide` takes them. */
  readonly head: Uint8Array
  /** What comes after the chunks that have been read. */
  readonly rest: Chunks<E>
  /** The whole content. */
  readonly stream: Stream.Stream<Uint8Array, E>
}

/** Reads the first bytes of content. */
export const peek = Effect.fnUntraced(function* <E>(
  pull: Chunks<E>
): Effect.fn.Return<Peeked<E>, Pull.ExcludeDone<E>> {
  const first: Array<Uint8Array> = []
  let isOpen = true
  let size = 0
  while (isOpen && size < length) {
    const chunks = yield* Pull.catchDone(pull, () => Effect.succeed(undefined))
    isOpen = chunks !== undefined
    for (const chunk of chunks ?? []) {
      first.push(chunk)
      size += chunk.length
    }
  }
  const rest = isOpen ? pull : Cause.done()
  return {
    head: Buffer.concat(first).subarray(0, length),
    rest,
    stream: Stream.concat(
      Stream.fromArray(first),
      isOpen ? Stream.fromPull(Effect.succeed(pull)) : Stream.empty
    )
  }
})
