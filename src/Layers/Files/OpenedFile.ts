/** Files that are open for reading. */
import { constants } from "node:fs"
import { type FileHandle, open as openFile, realpath } from "node:fs/promises"
import { join, sep } from "node:path"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Pull from "effect/Pull"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { ServiceUnavailable } from "../../Contract/Catalogue.ts"

/** A regular file, and what it was when it was opened. */
export interface OpenedFile {
  readonly handle: FileHandle
  readonly lastModified: Date
  /** Nanoseconds. */
  readonly modified: bigint
  /** Bytes. */
  readonly size: number
}

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

const find = async (root: string, segments: ReadonlyArray<string>): Promise<Found> => {
  try {
    const path = await realpath(join(root, ...segments))
    if (!isInside(root, path)) return undefined
    // A pipe does not make it wait.
    const handle = await openFile(
      path,
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
    )
    try {
      const stats = await handle.stat({ bigint: true })
      if (stats.isFile()) {
        const { mtime, mtimeNs, size } = stats
        return { handle, lastModified: mtime, modified: mtimeNs, size: Number(size) }
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
  segments: ReadonlyArray<string>
): Effect.Effect<Found, ServiceUnavailable, Scope.Scope> =>
  Effect.acquireRelease(
    run(() => find(root, segments)),
    (found) => (found === undefined || found === "folder" ? Effect.void : close(found))
  )

/** Closes a file, once. */
export const close = ({ handle }: OpenedFile): Effect.Effect<void> =>
  // The handle of a closed file has no descriptor, and closing it again fails.
  Effect.promise(() => (handle.fd === -1 ? Promise.resolve() : handle.close()))

/** A strong entity tag. Each coding of a file has its own. */
export const etagOf = ({ modified, size }: OpenedFile, coding = ""): string =>
  `"${size.toString(36)}-${modified.toString(36)}${coding}"`

/** Reads bytes of a file. Dies if it has become shorter, or was written while it was read. */
const read = async (file: OpenedFile, length: number, position: number): Promise<Buffer> => {
  const bytes = Buffer.allocUnsafeSlow(length)
  const { bytesRead } = await file.handle.read(bytes, 0, length, position)
  if (bytesRead === 0) throw new Error("A file has become shorter while it was sent")
  return bytesRead === length ? bytes : bytes.subarray(0, bytesRead)
}

/** Throws if the file was written since it was opened. What was only appended does not change what is sent. */
const verify = async ({ handle, modified, size }: OpenedFile): Promise<void> => {
  const now = await handle.stat({ bigint: true })
  if (now.mtimeNs !== modified && now.size <= BigInt(size)) {
    throw new Error("A file was changed while it was sent")
  }
}

/** Reads a short part of a file. */
export const bytes = (
  file: OpenedFile,
  from: number,
  length: number
): Effect.Effect<Uint8Array<ArrayBuffer>> =>
  Effect.promise(async () => {
    const pieces: Array<Buffer> = []
    let done = 0
    while (done < length) {
      const piece = await read(file, length - done, from + done)
      done += piece.length
      pieces.push(piece)
    }
    return new Uint8Array(pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces))
  })

/**
 * Returns a part of a file as a stream, which reads as fast as the client does. It dies, and the connection is
 * cut, if the file was written or has become shorter: the reply must not look whole.
 */
export const stream = (
  file: OpenedFile,
  from: number,
  length: number
): Stream.Stream<Uint8Array<ArrayBuffer>> =>
  Stream.fromPull(
    Effect.sync(() => {
      const end = from + length
      let position = from
      return Effect.suspend((): Pull.Pull<readonly [Uint8Array<ArrayBuffer>]> =>
        position >= end
          ? Cause.done()
          : Effect.promise(async () => {
              const piece = await read(file, Math.min(readSize, end - position), position)
              position += piece.length
              if (position >= end) await verify(file)
              return [piece as Uint8Array<ArrayBuffer>] as const
            })
      )
    })
  )
