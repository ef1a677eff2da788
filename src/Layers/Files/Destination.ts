/** Where the files of a form go. */
import { randomUUID } from "node:crypto"
import { lstat, mkdtemp, open, readdir, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { UploadTooLarge } from "../../Contract/FileErrors.ts"
import type { IncomingFile } from "./IncomingFile.ts"

/** Takes a file of a form. What it does not read is read after it, and thrown away. */
export type Destination<out A, out E = never, out R = never> = (
  file: IncomingFile
) => Effect.Effect<A, E, R>

/** A file that is whole in memory. */
export interface MemoryFile extends Omit<IncomingFile, "stream"> {
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** A file on disk, until its scope closes. */
export interface DiskFile extends Omit<IncomingFile, "stream"> {
  readonly path: string
  /** Bytes. */
  readonly size: number
}

const about = ({ contentType, name, part }: IncomingFile) => ({ contentType, name, part })

/** Keeps a file in memory. Each request may take `maxBytes` of the file. */
export const toMemory: Destination<MemoryFile, UploadTooLarge> = (file) =>
  Effect.map(Stream.runCollect(file.stream), (chunks) => {
    const whole = Buffer.concat(chunks)
    return { ...about(file), bytes: new Uint8Array(whole) }
  })

const prefix = "flange-upload-"

/** The age in milliseconds of a temporary directory whose process was killed: no request takes a day. */
const leftAge = 86_400_000

/** The folders in which this process has removed what is left. */
const swept = new Set<string>()

/** Removes the temporary directories of killed processes, once for each folder. */
const sweep = async (folder: string): Promise<void> => {
  if (swept.has(folder)) return
  swept.add(folder)
  const names = await readdir(folder).catch(() => [])
  for (const name of names) {
    if (!name.startsWith(prefix)) continue
    const path = join(folder, name)
    try {
      const stats = await lstat(path)
      // In a folder of all users, others may change their directories while they are removed.
      const isOwn = stats.uid === (process.getuid?.() ?? stats.uid)
      if (stats.isDirectory() && isOwn && Date.now() - stats.mtimeMs > leftAge) {
        await rm(path, { force: true, recursive: true })
      }
    } catch {
      // Another process was quicker.
    }
  }
}

/**
 * Writes a file to a temporary directory, which is removed when the scope closes: for a handler, at the end of the
 * request, whatever its end is. The path does not have the name that the client gives. Move the file to keep it.
 * What a killed process left is removed after a day, with the first file of a later process.
 */
export const toDisk =
  (
    options: {
      /** The folder of the temporary directories. The default is that of the system. */
      readonly directory?: string | undefined
    } = {}
  ): Destination<DiskFile, UploadTooLarge, Scope.Scope> =>
  (file) =>
    Effect.gen(function* () {
      const directory = options.directory ?? tmpdir()
      yield* Effect.promise(() => sweep(directory))
      const folder = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp(join(directory, prefix))),
        (folder) => Effect.promise(() => rm(folder, { force: true, recursive: true }))
      )
      const path = join(folder, randomUUID())
      let size = 0
      yield* Effect.acquireUseRelease(
        Effect.promise(() => open(path, "wx", 0o600)),
        (handle) =>
          Stream.runForEachArray(file.stream, (chunks) =>
            Effect.promise(async () => {
              for (const chunk of chunks) {
                await handle.writeFile(chunk)
                size += chunk.length
              }
            })
          ),
        (handle) => Effect.promise(() => handle.close())
      )
      return { ...about(file), path, size }
    })

/**
 * Returns the destination that stores a file, such as `ObjectStore.put` does, and removes it again if the scope
 * closes with a failure: a later part of the form is refused, the handler fails, or the client leaves.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import * as Files from "flange/Files"
 *
 * const kept = new Map<string, number>()
 * const toMap = Files.toStore({
 *   remove: (name: string) => Effect.sync(() => kept.delete(name)),
 *   write: (file) =>
 *     Effect.map(Stream.runCount(file.stream), (chunks) => {
 *       kept.set(file.name, chunks)
 *       return file.name
 *     })
 * })
 * const file = {
 *   contentType: "text/plain",
 *   name: "a.txt",
 *   part: "note",
 *   stream: Stream.make(new Uint8Array(3))
 * }
 * const failing = Effect.andThen(toMap(file), Effect.fail("refused"))
 * await Effect.runPromise(Effect.flip(Effect.scoped(failing))) // => "refused"
 * kept.size // => 0
 * ```
 */
export const toStore =
  <A, E, R, R2 = never>(options: {
    /** Removes what was stored. A failure is logged. */
    readonly remove: (stored: A) => Effect.Effect<unknown, unknown, R2>
    /** Stores the content. It leaves nothing if it fails. */
    readonly write: (file: IncomingFile) => Effect.Effect<A, E, R>
  }): Destination<A, E, R | R2 | Scope.Scope> =>
  (file) =>
    // An interruption comes while the file is written, or after the finalizer is there.
    Effect.uninterruptibleMask((restore) =>
      Effect.tap(restore(options.write(file)), (stored) =>
        Effect.addFinalizer((exit) =>
          Exit.isSuccess(exit)
            ? Effect.void
            : Effect.catchCause(options.remove(stored), (cause) =>
                Effect.logError("A file of a refused upload could not be removed", cause)
              )
        )
      )
    )
