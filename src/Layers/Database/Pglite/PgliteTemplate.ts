/** A new PGlite data directory as a file, made once and reused: loading it is many times faster. */

import { randomUUID } from "node:crypto"
import { existsSync, readFileSync } from "node:fs"
import { access, constants, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { PGlite } from "@electric-sql/pglite"

/** A data directory depends on the exact version that made it. */
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

/** `node_modules/.cache/flange` of the project, or the system's folder for temporary files. */
const cacheFolder = async (): Promise<string> => {
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    const modules = join(folder, "node_modules")
    if (existsSync(modules) && (await isWritable(modules))) return join(modules, ".cache/flange")
    if (folder === dirname(folder)) return join(tmpdir(), "flange")
  }
}

/** Every process may do this at once: each writes its own file, the last rename wins. */
const build = async (file: string): Promise<void> => {
  // Half the size takes half the time to load: small WAL files, and no template that nobody uses.
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

/** Changes with the recipe of `build`. */
const recipe = 1

/** The template for `loadDataDir`; made when it is not in the folder yet. */
export const load = async (folder?: string): Promise<Blob> => {
  const name = `pglite-${version()}-template-${recipe}.tar`
  const path = join(folder ?? (await cacheFolder()), name)
  if (!existsSync(path)) await build(path)
  // A blob of the file itself is read in small pieces, which takes longer.
  return new Blob([await readFile(path)])
}
