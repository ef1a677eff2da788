import { randomUUID } from "node:crypto"
import { existsSync, openAsBlob, readFileSync } from "node:fs"
import { access, constants, mkdir, rename, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
/** A new PGlite data directory as a file, made once and reused: loading it is many times faster. */
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
  const database = await PGlite.create()
  try {
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

/** The file of the template, made when it is not there yet. */
export const file = async (folder?: string): Promise<string> => {
  const path = join(folder ?? (await cacheFolder()), `pglite-${version()}.tar`)
  if (!existsSync(path)) await build(path)
  return path
}

/** The template for `loadDataDir`. */
export const load = async (): Promise<Blob> => openAsBlob(await file())
