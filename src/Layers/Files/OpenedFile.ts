/** Files that are open for reading. */
import { createHash } from "node:crypto"
import { type BigIntStats, constants } from "node:fs"
import { type FileHandle, open as openFile, realpath } from "node:fs/promises"
import { dirname, join, sep } from "node:path"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Pull from "effect/Pull"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { ServiceUnavailable } from "../../Contract/Catalogue.ts"
import type { KeptFiles } from "./KeptFiles.ts"

/** A regular file, and what it was when it was opened. */
export interface OpenedFile {
  /** The whole content of a file that is kept; undefined for another. */
  readonly content: Uint8Array<ArrayBuffer> | undefined
  /** Undefined for a file that is kept. */
  readonly handle: FileHandle | undefined
  /** Tells this version of the file from every other. */
  readonly identity: string
  /** Undefined if the time does not tell versions apart. */
  readonly lastModified: Date | undefined
  /** Nanoseconds. */
  readonly modified: bigint
  readonly path: string
  /** Nanoseconds: when the file came to its place on this machine, or was written. */
  readonly placed: bigint
  /** Bytes. */
  readonly size: number
  /** Tells this version of the file from others of the same size, in its entity tag. */
  readonly version: string
}

/** Files up to this size are read at once, and kept. */
export const small = 65_536

/** The short files of a directory that were sent last. */
export type Kept = KeptFiles<OpenedFile>

/**
 * Build tools give all files one time, such as 1970 or 1980, so that their output is always the same. Before this
 * time in milliseconds, a time of change does not tell two builds apart.
 */
const minTime = Date.UTC(2000)

/** Milliseconds after which a file that is written again has another time. */
const settled = 2000

/** What is at a path. Nothing that can be sent is `undefined`: a device, or a link that leads out of the root. */
export type Found = "folder" | OpenedFile | undefined

/** The bytes of one read. */
const readSize = 65_536

const missing: ReadonlySet<string> = new Set([
  "EINVAL",
  "ELOOP",
  "ENAMETOOLONG",
  "ENOENT",
  "ENOTDIR",
  // A socket.
  "ENXIO"
])

/** The process, or the machine, has no descriptor left. */
const exhausted: ReadonlySet<string> = new Set(["EMFILE", "ENFILE"])

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : ""

/** Checks whether a real path is that of a directory, or below it. */
const isInside = (root: string, real: string): boolean =>
  real === root || real.startsWith(root.endsWith(sep) ? root : root + sep)

const identityOf = ({ ctimeNs, dev, ino, mtimeNs, size }: BigIntStats): string =>
  `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`

/**
 * Returns a version that does not come from the time of change. The times when files came to their place that Deno
 * gives are whole seconds, in which one file may replace another: the inode tells them apart. Clients do not see it.
 */
const digestOf = ({ ctimeNs, ino, size }: BigIntStats): string =>
  createHash("sha256").update(`${ctimeNs} ${ino} ${size}`).digest("base64url").slice(0, 16)

const find = async (root: string, segments: ReadonlyArray<string>, kept: Kept): Promise<Found> => {
  try {
    const name = join(root, ...segments)
    const known = kept.get(name)
    // The same version of the same file was found below the root before, whatever the path leads to now.
    if (known !== undefined && identityOf(await kept.stat(name)) === known.identity) {
      return known
    }
    const path = await realpath(name)
    if (!isInside(root, path)) return undefined
    // A pipe does not make it wait.
    const handle = await openFile(
      path,
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
    )
    try {
      const stats = await handle.stat({ bigint: true })
      if (stats.isFile()) {
        const isTold = stats.mtimeMs >= minTime
        return {
          content: undefined,
          handle,
          identity: identityOf(stats),
          lastModified: isTold ? stats.mtime : undefined,
          modified: stats.mtimeNs,
          path: name,
          placed: stats.ctimeNs,
          size: Number(stats.size),
          version: isTold ? stats.mtimeNs.toString(36) : digestOf(stats)
        }
      }
      await handle.close()
      return stats.isDirectory() ? "folder" : undefined
    } catch (error) {
      await handle.close()
      throw error
    }
  } catch (error) {
    if (missing.has(codeOf(error))) return undefined
    throw error
  }
}

/** Fails with what the client is told; what else happens is a defect, and only the log has it. */
const run = <A>(promise: () => Promise<A>): Effect.Effect<A, ServiceUnavailable> =>
  Effect.tryPromise({ catch: (error) => error, try: promise }).pipe(
    Effect.catch((error) =>
      exhausted.has(codeOf(error))
        ? Effect.logWarning("A file could not be opened: no descriptor is left", error).pipe(
            Effect.andThen(Effect.fail(new ServiceUnavailable()))
          )
        : Effect.die(error)
    )
  )

/**
 * Opens the file of these segments below a real directory. A symbolic link is followed if its end is below the
 * directory too. The scope closes the file.
 */
export const open = (
  root: string,
  segments: ReadonlyArray<string>,
  kept: Kept
): Effect.Effect<Found, ServiceUnavailable, Scope.Scope> =>
  Effect.acquireRelease(
    run(() => find(root, segments, kept)),
    (found) => (found === undefined || found === "folder" ? Effect.void : close(found))
  )

/**
 * Opens a file beside another one: a precompressed form of it. That there is none is remembered until the folder
 * changes.
 */
export const openBeside = (
  root: string,
  segments: ReadonlyArray<string>,
  kept: Kept
): Effect.Effect<Found, ServiceUnavailable, Scope.Scope> =>
  Effect.gen(function* () {
    const name = join(root, ...segments)
    const folder = yield* run(() => folderOf(name, kept))
    if (folder !== undefined && kept.isAbsent(name, folder)) return undefined
    const found = yield* open(root, segments, kept)
    if (found === undefined && folder !== undefined) kept.setAbsent(name, folder)
    return found
  })

/** Returns the version of the folder of a path; undefined if it was changed just now, and may be changed again. */
const folderOf = async (name: string, kept: Kept): Promise<string | undefined> => {
  try {
    const stats = await kept.stat(dirname(name))
    return Date.now() - Number(stats.ctimeMs) > settled ? identityOf(stats) : undefined
  } catch (error) {
    if (missing.has(codeOf(error))) return undefined
    throw error
  }
}

/** Closes a file, once. */
export const close = ({ handle }: OpenedFile): Effect.Effect<void> =>
  // The handle of a closed file has no descriptor, and closing it again fails.
  handle === undefined || handle.fd === -1 ? Effect.void : Effect.promise(() => handle.close())

/** A strong entity tag. Each coding of a file has its own. */
export const etagOf = ({ size, version }: OpenedFile, coding = ""): string =>
  `"${size.toString(36)}-${version}${coding}"`

/** Reads bytes of a file. Throws if it has become shorter. */
const read = async (
  handle: FileHandle,
  length: number,
  position: number
): Promise<Buffer<ArrayBuffer>> => {
  const bytes = Buffer.allocUnsafeSlow(length)
  const { bytesRead } = await handle.read(bytes, 0, length, position)
  if (bytesRead === 0) throw new Error("A file has become shorter while it was sent")
  return bytesRead === length ? bytes : bytes.subarray(0, bytesRead)
}

/** Throws if the file was written since it was opened. What was only appended does not change what is sent. */
const verify = async (handle: FileHandle, { modified, size }: OpenedFile): Promise<void> => {
  const now = await handle.stat({ bigint: true })
  if (now.mtimeNs !== modified && now.size <= BigInt(size)) {
    throw new Error("A file was changed while it was sent")
  }
}

/** Reads a short part of a file. A file that was read whole is kept. */
export const bytes = (
  file: OpenedFile,
  from: number,
  length: number,
  kept: Kept
): Effect.Effect<Uint8Array<ArrayBuffer>> =>
  Effect.suspend(() => {
    const { content, handle } = file
    if (content !== undefined) return Effect.succeed(content.subarray(from, from + length))
    if (handle === undefined || length === 0) return Effect.succeed(new Uint8Array(0))
    return Effect.promise(async () => {
      const pieces: Array<Buffer<ArrayBuffer>> = []
      let done = 0
      while (done < length) {
        const piece = await read(handle, length - done, from + done)
        done += piece.length
        pieces.push(piece)
      }
      const whole = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
      // A file that was written just now may be written again without another time.
      if (length === file.size && Date.now() - Number(file.placed / 1_000_000n) > settled) {
        kept.set({ ...file, content: whole, handle: undefined })
      }
      return whole
    })
  })

/**
 * Returns a part of a file as a stream, which reads as fast as the client does. It dies, and the connection is
 * cut, if the file was written or has become shorter: the reply must not look whole.
 */
export const stream = (
  file: OpenedFile,
  from: number,
  length: number
): Stream.Stream<Uint8Array<ArrayBuffer>> => {
  const { handle } = file
  // A file that is kept is short.
  if (handle === undefined) return Stream.empty
  return Stream.fromPull(
    Effect.sync(() => {
      const end = from + length
      let position = from
      return Effect.suspend((): Pull.Pull<readonly [Uint8Array<ArrayBuffer>]> =>
        position >= end
          ? Cause.done()
          : Effect.promise(async () => {
              const piece = await read(handle, Math.min(readSize, end - position), position)
              position += piece.length
              if (position >= end) await verify(handle, file)
              return [piece] as const
            })
      )
    })
  )
}
