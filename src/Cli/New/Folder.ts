/** The folder of a new project: it gets all of the files, or none. */
import { dirname, isAbsolute, join, normalize, sep } from "node:path"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { CommandError } from "../../Plugin/Cli.ts"
import { unusable } from "../Failure.ts"
import type { Files } from "./Project.ts"

/** Fails with `CommandError` if something is at the place of a new project. */
export const checkFree = (
  folder: string
): Effect.Effect<void, CommandError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    if (!(yield* fs.exists(folder))) return
    const { type } = yield* fs.stat(folder)
    if (type !== "Directory") return yield* unusable(`${folder} is a file. Choose another name.`)
    const [first, ...others] = yield* fs.readDirectory(folder)
    if (first === undefined) return
    const more = others.length === 0 ? "" : ` and ${others.length} more`
    return yield* unusable(
      `The folder ${folder} is not empty: it has ${first}${more}. Choose another name, or empty the folder.`
    )
  }).pipe(
    Effect.catchTag("PlatformError", ({ message }) =>
      Effect.fail(unusable(`${folder} cannot be read: ${message}`))
    )
  )

/** Returns the first path that is not one of a file in the project. */
const outside = (files: Files): string | undefined =>
  Object.keys(files).find((path) => {
    const normal = normalize(path)
    return (
      isAbsolute(normal) || normal === "." || normal.endsWith(sep) || normal.split(sep)[0] === ".."
    )
  })

/** Returns the topmost folder of a path that does not exist, or undefined if all exist. */
const firstMissing = (
  folder: string
): Effect.Effect<string | undefined, never, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    let missing: string | undefined
    for (
      let at = folder;
      !(yield* Effect.orElseSucceed(fs.exists(at), () => true));
      at = dirname(at)
    ) {
      missing = at
    }
    return missing
  })

/** Writes the files of a project. If one cannot be written, or on interruption, none is left. */
export const write = (
  folder: string,
  files: Files
): Effect.Effect<void, CommandError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const wrong = outside(files)
    if (wrong !== undefined) {
      return yield* unusable(`The template has the file "${wrong}", which is not in the project`)
    }
    yield* checkFree(folder)
    const fs = yield* FileSystem.FileSystem
    const missing = yield* firstMissing(folder)
    const entries = Object.keys(files).map((path) => join(folder, normalize(path).split(sep)[0]!))
    const remove = Effect.forEach(missing === undefined ? entries : [missing], (path) =>
      fs.remove(path, { force: true, recursive: true })
    )
    yield* Effect.forEach(Object.entries(files), ([path, text]) =>
      Effect.andThen(
        fs.makeDirectory(join(folder, dirname(path)), { recursive: true }),
        fs.writeFileString(join(folder, path), text)
      )
    ).pipe(
      Effect.mapError(
        (cause) =>
          new CommandError({
            cause,
            exitCode: 1,
            reason: `The project cannot be written: ${cause.message}`
          })
      ),
      Effect.onError(() => Effect.ignore(remove))
    )
  })
