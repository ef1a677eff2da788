/** Files that are written whole. */
import { randomUUID } from "node:crypto"
import { chmodSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"

/** Errors of a file that cannot be replaced: it is a mount of its own, or its folder is read-only. */
const fixed: ReadonlySet<unknown> = new Set(["EACCES", "EBUSY", "EPERM", "EROFS"])

/**
 * Writes a file in an existing folder. An interrupted process leaves the whole old contents or the whole new
 * ones. A link to a file stays, and so do the permissions of the file. A file that cannot be replaced is written
 * in place.
 */
export const write = (path: string, contents: string | Uint8Array): void => {
  const found = statSync(path, { throwIfNoEntry: false })
  // A device or a pipe has no contents to keep.
  if (found !== undefined && !found.isFile()) return writeFileSync(path, contents)
  const target = found === undefined ? path : realpathSync(path)
  // Nobody else has the name: no other thread, and no link that was put there.
  const temporary = join(dirname(target), `.${randomUUID()}.tmp`)
  try {
    writeFileSync(temporary, contents, { flag: "wx" })
    if (found !== undefined) chmodSync(temporary, found.mode)
    renameSync(temporary, target)
  } catch (error) {
    rmSync(temporary, { force: true })
    if (found === undefined || !fixed.has((error as NodeJS.ErrnoException).code)) throw error
    writeFileSync(target, contents)
  }
}
