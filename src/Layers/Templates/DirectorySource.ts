/** Templates in the files of a directory. */
import { constants } from "node:fs"
import { open, readdir, realpath, stat } from "node:fs/promises"
import { isAbsolute, join, relative, resolve, sep } from "node:path"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import * as Thrown from "../../Config/Thrown.ts"
import * as Name from "./Name.ts"
import { type File, maxBytes, maxFiles, type Source } from "./Source.ts"

/** A file with the extension of templates. */
interface Found {
  readonly name: string
  readonly path: string
}

/** Templates below a directory cannot be read. The message has the reason. */
class Unreadable extends Error {}

const utf8 = new TextDecoder("utf-8", { fatal: true })

/** Lists the files of a directory and of those in it. `within` are the real directories that contain it. */
const list = async (
  directory: string,
  prefix: string,
  root: string,
  within: ReadonlyArray<string>
): Promise<ReadonlyArray<Found>> => {
  const found: Array<Found> = []
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const { name } = entry
    if (name.startsWith(".") || name === "node_modules") continue
    const path = join(directory, name)
    if (entry.isSymbolicLink() && !isInside(root, await realpath(path))) {
      throw new Unreadable(
        `${path} is a link that leads out of the directory. Copy the file, or name its directory as another source`
      )
    }
    const isFolder = entry.isSymbolicLink() ? (await stat(path)).isDirectory() : entry.isDirectory()
    if (isFolder) {
      const real = await realpath(path)
      if (within.includes(real)) {
        throw new Unreadable(`${path} is a link to a directory that contains it. Remove it`)
      }
      found.push(...(await list(path, `${prefix}${name}/`, root, [...within, real])))
    } else if (name.endsWith(Name.extension)) {
      found.push({ name: prefix + name.slice(0, -Name.extension.length), path })
    }
    if (found.length > maxFiles) {
      throw new Unreadable(`it has more than ${maxFiles} templates. Name a directory with fewer`)
    }
  }
  return found
}

const isInside = (root: string, path: string): boolean => {
  const way = relative(root, path)
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way)
}

const decode = (bytes: Uint8Array): File["text"] => {
  try {
    return utf8.decode(bytes)
  } catch {
    return { refused: "the file is not UTF-8 text. Save it as UTF-8" }
  }
}

const textOf = async ({ name, path }: Found): Promise<File["text"]> => {
  const refused = Name.refusal(name)
  if (refused !== undefined) return { refused }
  // A pipe without a writer must not hold a thread of the pool.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const about = await file.stat()
    if (!about.isFile()) return { refused: "it is no file" }
    if (about.size > maxBytes) {
      return { refused: `it has more than ${maxBytes} bytes. Split it into partials` }
    }
    // A file that grows while it is read cannot fill the memory.
    const buffer = Buffer.alloc(about.size)
    const { bytesRead } = await file.read(buffer, 0, about.size, 0)
    return decode(buffer.subarray(0, bytesRead))
  } finally {
    await file.close()
  }
}

/**
 * Creates a source of templates in the files of a directory, and of those in it, whose names end with
 * `.eta`. With `new URL("./templates", import.meta.url)`, `flange build` copies the directory into the
 * bundle. A path begins at the working directory.
 *
 * Files are UTF-8. Names that begin with a dot are skipped. A link that leads out of the directory is a
 * problem at start.
 *
 * @example
 * ```ts
 * import * as Templates from "flange/Templates"
 *
 * const source = Templates.directory("/srv/shop/templates")
 * source.description // => "/srv/shop/templates"
 * ```
 */
export const directory = (location: string | URL): Source => {
  const path = typeof location === "string" ? resolve(location) : fileURLToPath(location)
  const within = <A>(read: (found: ReadonlyArray<Found>) => Promise<A>): Effect.Effect<A, string> =>
    Effect.tryPromise({
      catch: (error) => {
        const reason = `${path} cannot be read: ${Thrown.messageOf(error)}`
        return error instanceof Unreadable
          ? reason
          : `${reason}. Create the directory, or correct the path in Templates.directory`
      },
      try: async () => {
        const root = await realpath(path)
        return await read(await list(path, "", root, [root]))
      }
    })
  return {
    description: path,
    read: within(async (found) => {
      const files: Array<File> = []
      for (const one of found) files.push({ name: one.name, text: await textOf(one) })
      return files
    }),
    version: within(async (found) => {
      const versions = await Promise.all(
        found.map(async ({ path }) => {
          const { ino, mtimeMs, size } = await stat(path)
          return `${path} ${ino} ${mtimeMs} ${size}`
        })
      )
      return versions.toSorted().join("\n")
    })
  }
}
