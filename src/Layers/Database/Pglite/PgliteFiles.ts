/** Puts the files of the template where PGlite finds them. */

import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { MemoryFS, PGlite } from "@electric-sql/pglite"
import * as PgliteTemplate from "./PgliteTemplate.ts"

/** PGlite takes a directory with this file for a complete data directory. */
export const marker = "/PG_VERSION"

/** Fills a data directory that is new, or whose creation was cut short. */
export const fill = async (directory: string): Promise<void> => {
  if (existsSync(join(directory, marker))) return
  const files = await PgliteTemplate.files()
  mkdirSync(directory, { mode: 0o700, recursive: true })
  // Nothing else runs before the start, and a thousand small writes take longer in promises.
  const isMarker = ({ path }: PgliteTemplate.Entry) => path === marker
  for (const { content, path } of [
    ...files.filter((file) => !isMarker(file)),
    ...files.filter(isMarker)
  ]) {
    const target = join(directory, path)
    if (content === undefined) mkdirSync(target, { mode: 0o700, recursive: true })
    else writeFileSync(target, content, { mode: 0o600 })
  }
}

/** Files in memory that begin with those of the template. */
class TemplateFs extends MemoryFS {
  readonly #files: ReadonlyArray<PgliteTemplate.Entry>

  constructor(files: ReadonlyArray<PgliteTemplate.Entry>) {
    super()
    this.#files = files
  }

  override async initialSyncFs(): Promise<void> {
    const { FS } = this.pg!.Module // PGlite has set it in `init`
    FS.mkdirTree(PGlite.paths.PGDATA)
    for (const { content, path } of this.#files) {
      const target = `${PGlite.paths.PGDATA}${path}`
      if (content === undefined) FS.mkdirTree(target)
      // With `canOwn` the file uses the memory of the template, which nothing else uses.
      else FS.writeFile(target, content, { canOwn: true })
    }
  }
}

/** Returns the files of a new database in memory. */
export const inMemory = async (): Promise<MemoryFS> => new TemplateFs(await PgliteTemplate.files())
