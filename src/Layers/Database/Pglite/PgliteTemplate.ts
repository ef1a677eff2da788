/**
 * The files of an empty PGlite data directory. Copying them is many times faster than
 * letting PGlite create a directory, and takes a fraction of the memory.
 */

import { randomUUID } from "node:crypto"
import { existsSync } from "node:fs"
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { homedir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { crc32 } from "node:zlib"
import { PGlite } from "@electric-sql/pglite"

/** A file of the data directory. The content of a folder is undefined. */
export interface Entry {
  readonly content: Uint8Array | undefined
  /** Relative to the data directory, such as `/base/5/1259`. */
  readonly path: string
}

/** Returns the version of PGlite. A data directory depends on the exact version that created it. */
const version = async (): Promise<string> => {
  let folder = dirname(fileURLToPath(import.meta.resolve("@electric-sql/pglite")))
  while (!existsSync(join(folder, "package.json"))) folder = dirname(folder)
  return JSON.parse(await readFile(join(folder, "package.json"), "utf8")).version
}

/** Returns the nearest `node_modules` of the working directory, if there is one. */
const modulesFolder = (): string | undefined => {
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    const modules = join(folder, "node_modules")
    if (existsSync(modules)) return modules
    if (folder === dirname(folder)) return undefined
  }
}

/**
 * Returns the folders in which the template may be: that of the project, which other
 * tools use for their caches too, and that of the user. A folder for temporary files
 * would let other users of the machine supply the template.
 */
const cacheFolders = (): ReadonlyArray<string> => {
  const modules = modulesFolder()
  const user = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache")
  return [...(modules === undefined ? [] : [join(modules, ".cache")]), user].map((folder) =>
    join(folder, "flange")
  )
}

const checksumBytes = 4

/** Returns the template in a file, or undefined if the file is missing or damaged. */
const read = async (file: string): Promise<Buffer | undefined> => {
  try {
    const bytes = await readFile(file)
    const tar = bytes.subarray(0, -checksumBytes)
    return bytes.readUInt32LE(tar.length) === crc32(tar) ? tar : undefined
  } catch {
    return undefined
  }
}

/**
 * Writes the template. Several processes may do so at once: each writes a file of its
 * own, and the last rename wins. Returns false if the folder cannot be written to.
 */
const write = async (file: string, tar: Buffer): Promise<boolean> => {
  const own = `${file}.${randomUUID()}`
  const checksum = Buffer.alloc(checksumBytes)
  checksum.writeUInt32LE(crc32(tar))
  try {
    await mkdir(dirname(file), { mode: 0o700, recursive: true })
    await writeFile(own, Buffer.concat([tar, checksum]))
    await rename(own, file)
    return true
  } catch {
    await rm(own, { force: true }).catch(() => {}) // it may be on a read-only disk
    return false
  }
}

/** The version of `build`. Raise it if the result changes. */
const recipe = 2

const build = async (): Promise<Buffer> => {
  // Small WAL files and no `template0` halve the size, and with it the time to load.
  const database = await PGlite.create({ initDbStartParams: ["--wal-segsize=1"] })
  try {
    await database.exec("update pg_database set datistemplate = false where datname = 'template0'")
    await database.exec("drop database template0")
    await database.exec("checkpoint")
    const dump = await database.dumpDataDir("none")
    return Buffer.from(await dump.arrayBuffer())
  } finally {
    await database.close()
  }
}

const load = async (folders: ReadonlyArray<string>): Promise<Buffer> => {
  const name = `pglite-${await version()}-template-${recipe}.tar`
  const files = folders.map((folder) => join(folder, name))
  for (const file of files) {
    const tar = await read(file)
    if (tar !== undefined) return tar
  }
  const tar = await build()
  for (const file of files) if (await write(file, tar)) break
  return tar
}

const block = 512

/** Returns the files of a tar archive that PGlite has written. They share its memory. */
const entriesOf = (tar: Buffer): ReadonlyArray<Entry> => {
  const entries: Array<Entry> = []
  for (let at = 0; at < tar.length && tar[at] !== 0;) {
    const field = (from: number, length: number) =>
      tar.toString("latin1", at + from, at + from + length).replace(/\0.*$/s, "")
    const size = Number.parseInt(field(124, 12), 8)
    const from = at + block
    const isFolder = field(156, 1) === "5"
    entries.push({
      content: isFolder ? undefined : tar.subarray(from, from + size),
      path: field(0, 100)
    })
    at = from + Math.ceil(size / block) * block
  }
  return entries
}

/**
 * Returns the files of an empty data directory, each folder before what is in it.
 * Reads them from the first of the folders that has them undamaged. Otherwise creates
 * them and caches them, if one of the folders can be written to.
 */
export const files = async (folders = cacheFolders()): Promise<ReadonlyArray<Entry>> =>
  entriesOf(await load(folders))
