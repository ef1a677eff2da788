/**
 * The file of an empty PGlite data directory. Loading it is many times faster than
 * creating one.
 */

import { randomUUID } from "node:crypto"
import { existsSync, readFileSync } from "node:fs"
import { access, constants, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { PGlite } from "@electric-sql/pglite"

/** Returns the version of PGlite. A data directory depends on the exact version that created it. */
const version = (): string => {
  let folder = dirname(fileURLToPath(import.meta.resolve("@electric-sql/pglite")))
  while (!existsSync(join(folder, "package.json"))) folder = dirname(folder)
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).version
}

const isWritable = (folder: string): Promise<boolean> =>
  access(folder, constants.W_OK).then(
    () => true,
    () => false
  )

/** Returns `node_modules/.cache/flange` of the project, or a folder for temporary files. */
const cacheFolder = async (): Promise<string> => {
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    const modules = join(folder, "node_modules")
    if (existsSync(modules) && (await isWritable(modules))) return join(modules, ".cache/flange")
    if (folder === dirname(folder)) return join(tmpdir(), "flange")
  }
}

/**
 * Creates the file. Several processes may do so at once: each writes its own, and the
 * last rename wins.
 */
const build = async (file: string): Promise<void> => {
  // Small WAL files and no `template0` halve the size, and with it the time to load.
  const database = await PGlite.create({ initDbStartParams: ["--wal-segsize=1"] })
  try {
    await database.exec("update pg_database set datistemplate = false where datname = 'template0'")
    await database.exec("drop database template0")
    await database.exec("checkpoint")
    const dump = await database.dumpDataDir("none")
    const own = `${file}.${randomUUID()}`
    try {
      await mkdir(dirname(file), { recursive: true })
      await writeFile(own, new Uint8Array(await dump.arrayBuffer()))
      await rename(own, file)
    } finally {
      await rm(own, { force: true })
    }
  } finally {
    await database.close()
  }
}

/** The version of `build`. Raise it if the result changes. */
const recipe = 1

/** Returns the template for `loadDataDir`, and creates it if the folder does not have it. */
export const load = async (folder?: string): Promise<Blob> => {
  const name = `pglite-${version()}-template-${recipe}.tar`
  const path = join(folder ?? (await cacheFolder()), name)
  if (!existsSync(path)) await build(path)
  // `openAsBlob` would read the file in small pieces, which takes longer.
  return new Blob([await readFile(path)])
}
