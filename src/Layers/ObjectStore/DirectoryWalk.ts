/** Lists the keys of a directory in their order. */
import { readdir } from "node:fs/promises"
import { join } from "node:path"
import { codeOf } from "./DirectoryFile.ts"
import * as DirectoryPath from "./DirectoryPath.ts"
import * as Key from "./Key.ts"

/** Whether keys of a folder may come after `after`. All of them begin with `folder`. */
const mayFollow = (folder: string, after: string | undefined): boolean =>
  after === undefined || after.startsWith(folder) || Key.compare(folder, after) > 0

/**
 * Yields the keys that begin with `prefix` and come after `after`, by their bytes. `folder` is the path of
 * `base`, which is empty or ends with `/`. It reads one folder of each level at a time, and follows no link.
 */
export async function* keys(
  folder: string,
  base: string,
  prefix: string,
  after: string | undefined
): AsyncGenerator<string> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    // Another writer has removed the folder with its last object.
    if (codeOf(error) === "ENOENT") return []
    throw error
  })
  const found = entries
    .filter((entry) => entry.isFile() || entry.isDirectory())
    .flatMap((entry) => {
      const segment = DirectoryPath.segmentOf(entry.name, entry.isDirectory())
      return segment === undefined ? [] : [{ key: base + segment, name: entry.name }]
    })
    // A folder is named with its slash, so its keys are where they belong.
    .sort((a, b) => Key.compare(a.key, b.key))
  for (const { key, name } of found) {
    if (!key.endsWith("/")) {
      if (key.startsWith(prefix) && (after === undefined || Key.compare(key, after) > 0)) yield key
    } else if ((key.startsWith(prefix) || prefix.startsWith(key)) && mayFollow(key, after)) {
      yield* keys(join(folder, name), key, prefix, after)
    }
  }
}
