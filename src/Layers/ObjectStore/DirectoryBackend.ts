/** The backend in a local directory. */
import { randomUUID } from "node:crypto"
import {
  access,
  constants,
  type FileHandle,
  link,
  mkdir,
  open as openFile,
  readdir,
  realpath,
  rename,
  rmdir,
  stat,
  unlink
} from "node:fs/promises"
import { dirname, join } from "node:path"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Pull from "effect/Pull"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import {
  InvalidObjectKey,
  ObjectAccessDenied,
  ObjectNotFound,
  ObjectPreconditionFailed,
  ObjectStoreUnavailable
} from "../../Contract/ObjectErrors.ts"
import { type Backend, etagOf, type KeyFailure, mayReplace, resolve, unmet } from "./Backend.ts"
import { codeOf, endOf, infoOf, NoObjectFile, open } from "./DirectoryFile.ts"
import * as DirectoryPath from "./DirectoryPath.ts"
import { keys } from "./DirectoryWalk.ts"
import type { StoreFailure, WriteConditions } from "./ObjectStore.ts"

/** The folder of content that is being written. No key has this path. */
const uploads = ".uploads"

/** Milliseconds after which the file of an upload belongs to a process that died. */
const abandoned = 86_400_000

/** The bytes of one read. */
const readSize = 65_536

/** How often a folder is made again that another writer removes at the same time. */
const attempts = 10

const refusing: ReadonlySet<string> = new Set(["EACCES", "ELOOP", "EPERM", "EROFS"])

const failureOf =
  (operation: string) =>
  (error: unknown): StoreFailure => {
    const reason = String(error)
    return error instanceof LinkFound || refusing.has(codeOf(error) ?? "")
      ? new ObjectAccessDenied({ operation, reason })
      : new ObjectStoreUnavailable({ operation, reason })
  }

/** A folder on the path of an object is a symbolic link. */
class LinkFound extends Error {}

const run = <A>(operation: string, promise: () => Promise<A>): Effect.Effect<A, StoreFailure> =>
  Effect.tryPromise({ catch: failureOf(operation), try: promise })

/** Whether an error says that there is no object of this path. */
const isMissing = (error: unknown): boolean => {
  const code = codeOf(error)
  // A folder may not exist, and another program may have put a file in its place.
  return code === "ENOENT" || code === "ENOTDIR"
}

/** Throws if a folder is reached over a symbolic link. The root has none. */
const refuseLinks = async (folder: string): Promise<void> => {
  if ((await realpath(folder)) !== folder) {
    throw new LinkFound(
      `${folder} is reached over a symbolic link, which the store does not follow`
    )
  }
}

/** Makes the folders from the root to this one. None of them is a symbolic link. */
const ensureFolder = async (root: string, folder: string): Promise<void> => {
  if (folder === root) return
  await ensureFolder(root, dirname(folder))
  await mkdir(folder).catch((error: unknown) => {
    if (codeOf(error) !== "EEXIST") throw error
  })
  await refuseLinks(folder)
}

/** Opens the file of an object; undefined if there is none. */
const find = async (path: string): Promise<FileHandle | undefined> => {
  try {
    await refuseLinks(dirname(path))
    return await open(path)
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

const content = (
  file: FileHandle,
  from: number,
  end: number
): Stream.Stream<Uint8Array, StoreFailure> =>
  Stream.fromPull(
    Effect.sync(() => {
      let position = from
      return Effect.suspend((): Pull.Pull<readonly [Uint8Array], StoreFailure> =>
        position >= end
          ? Cause.done()
          : run("get", async () => {
              const length = Math.min(readSize, end - position)
              const { buffer, bytesRead } = await file.read(
                Buffer.allocUnsafeSlow(length),
                0,
                length,
                position
              )
              if (bytesRead === 0) throw new NoObjectFile("the file ends too early")
              position += bytesRead
              return [buffer.subarray(0, bytesRead)] as const
            })
      )
    })
  )

/** Removes the files of uploads of processes that have died. */
const sweep = async (folder: string): Promise<void> => {
  for (const name of await readdir(folder)) {
    const path = join(folder, name)
    const { mtimeMs } = await stat(path)
    if (Date.now() - mtimeMs > abandoned) await unlink(path)
  }
}

/** Opens a backend in a directory, which is made if it does not exist. */
export const make = (directory: string): Effect.Effect<Backend, StoreFailure> =>
  Effect.gen(function* () {
    const root = yield* run("open", async () => {
      await mkdir(join(directory, uploads), { recursive: true })
      return realpath(directory)
    })
    const pending = join(root, uploads)
    yield* Effect.ignore(run("open", () => sweep(pending)))
    const commits = yield* Semaphore.make(1)

    const pathOf = (key: string): Effect.Effect<string, InvalidObjectKey> => {
      const path = DirectoryPath.of(root, key)
      return path === undefined
        ? Effect.fail(
            new InvalidObjectKey({ key, reason: "a segment is longer than the name of a file" })
          )
        : Effect.succeed(path)
    }

    const opened = (
      operation: string,
      key: string
    ): Effect.Effect<FileHandle, KeyFailure | ObjectNotFound, Scope.Scope> =>
      Effect.flatMap(pathOf(key), (path) =>
        Effect.acquireRelease(
          Effect.flatMap(
            run(operation, () => find(path)),
            (file) =>
              file === undefined ? Effect.fail(new ObjectNotFound({ key })) : Effect.succeed(file)
          ),
          (file) => Effect.promise(() => file.close())
        )
      )

    /** Describes an object of a list; undefined if it was deleted meanwhile, or the file is no object. */
    const listed = (key: string) =>
      Effect.flatMap(pathOf(key), (path) =>
        run("list", async () => {
          try {
            const file = await find(path)
            if (file === undefined) return undefined
            try {
              return await infoOf(file, key)
            } finally {
              await file.close()
            }
          } catch (error) {
            if (error instanceof NoObjectFile) return undefined
            throw error
          }
        })
      )

    /** Moves a whole file to the path of its object. Returns whether the conditions were met. */
    const commit = async (
      temporary: string,
      path: string,
      key: string,
      conditions: WriteConditions
    ): Promise<boolean> => {
      const folder = dirname(path)
      for (let attempt = 1; ; attempt++) {
        try {
          await ensureFolder(root, folder)
          if (conditions.ifMatch !== undefined) {
            const file = await find(path)
            if (file === undefined) return false
            try {
              if (!mayReplace((await infoOf(file, key)).etag, conditions)) return false
            } finally {
              await file.close()
            }
          }
          if (conditions.ifNoneMatch === undefined) await rename(temporary, path)
          else await link(temporary, path)
          return true
        } catch (error) {
          if (codeOf(error) === "EEXIST" && conditions.ifNoneMatch !== undefined) return false
          if (codeOf(error) !== "ENOENT" || attempt === attempts) throw error
        }
      }
    }

    /** Deletes the file of an object, and the folders that have no other. */
    const remove = async (path: string): Promise<void> => {
      try {
        await refuseLinks(dirname(path))
        await unlink(path)
      } catch (error) {
        if (isMissing(error)) return
        throw error
      }
      try {
        for (let folder = dirname(path); folder !== root; folder = dirname(folder)) {
          await rmdir(folder)
        }
      } catch {
        // The folder has another object.
      }
    }

    const temporaryFile = Effect.acquireRelease(
      run("put", async () => {
        const path = join(pending, randomUUID())
        return { file: await openFile(path, "wx", 0o640), path }
      }),
      ({ file, path }) =>
        Effect.promise(async () => {
          await file.close()
          // It is gone if it was renamed.
          await unlink(path).catch(() => {})
        })
    )

    const put: Backend["put"] = (key, upload, conditions) =>
      Effect.scoped(
        Effect.gen(function* () {
          const path = yield* pathOf(key)
          const { file, path: temporary } = yield* temporaryFile
          yield* Stream.runForEachArray(upload.stream, (chunks) =>
            run("put", async () => {
              for (const chunk of chunks) await file.writeFile(chunk)
            })
          )
          const { contentType, metadata } = upload
          const etag = etagOf(upload.sha256())
          yield* run("put", async () => {
            await file.writeFile(endOf({ contentType, etag, metadata }))
            await file.sync()
          })
          // Uninterruptible, so that a caller never gets an interruption for what was stored half.
          const isDone = yield* Effect.uninterruptible(
            commits.withPermits(1)(run("put", () => commit(temporary, path, key, conditions)))
          )
          return isDone ? etag : yield* new ObjectPreconditionFailed({ key })
        })
      )

    return {
      copy: (from, to) =>
        Effect.scoped(
          Effect.gen(function* () {
            const file = yield* opened("copy", from)
            const { contentType, etag, metadata, size } = yield* run("copy", () =>
              infoOf(file, from)
            )
            const stream = content(file, 0, size)
            // The content has its digest in its tag.
            const sha256 = () => etag.slice(1, -1)
            yield* put(to, { contentType, metadata, sha256, stream }, {}).pipe(
              Effect.catchTag("ObjectPreconditionFailed", Effect.die)
            )
          })
        ),
      delete: Effect.fnUntraced(function* (key) {
        const path = yield* pathOf(key)
        yield* commits.withPermits(1)(run("delete", () => remove(path)))
      }),
      get: Effect.fnUntraced(function* (key, options) {
        const file = yield* opened("get", key)
        const info = yield* run("get", () => infoOf(file, key))
        const failure = unmet(info, options)
        if (failure !== undefined) return yield* failure
        const range = options.range === undefined ? undefined : resolve(options.range, info.size)
        if (range !== undefined && "_tag" in range) return yield* range
        const stream = content(
          file,
          range?.from ?? 0,
          range === undefined ? info.size : range.to + 1
        )
        return { info, range, stream }
      }),
      head: (key) =>
        Effect.scoped(
          Effect.flatMap(opened("head", key), (file) => run("head", () => infoOf(file, key)))
        ),
      list: (prefix, after) =>
        Stream.suspend(() => {
          const base = prefix.slice(0, prefix.lastIndexOf("/") + 1)
          const folder = DirectoryPath.folderOf(root, base)
          return Stream.concat(
            Stream.fromEffectDrain(
              run("list", () =>
                refuseLinks(folder).catch((error: unknown) => {
                  if (!isMissing(error)) throw error
                })
              )
            ),
            Stream.fromAsyncIterable(keys(folder, base, prefix, after), failureOf("list"))
          ).pipe(
            // A key of a file is that of an object that was stored.
            Stream.mapEffect((key) =>
              Effect.catchTag(listed(key), "InvalidObjectKey", (error) => Effect.die(error))
            ),
            Stream.filter((info) => info !== undefined)
          )
        }),
      name: "directory",
      ping: run("ping", () => access(pending, constants.R_OK | constants.W_OK)),
      put,
      signer: undefined
    }
  })
