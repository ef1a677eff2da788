/**
 * Keys as paths below the root of a directory.
 *
 * The segment of a file is its name, and the one of a folder ends with `@`: so the objects `a` and `a/b` may
 * both exist. Of ASCII a name has letters, digits, `-`, `_`, `.` and
 * `%` only, and it begins with no dot: no key leads out of the root, or to a file that is hidden there.
 */
import { join } from "node:path"

/** The ending of folders. */
const folder = "@"

/** The longest name in the usual file systems, in bytes. */
const maxName = 255

const encode = (segment: string): string =>
  segment.replaceAll(
    /^\.|[^\w.\u0080-\uffff-]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`
  )

const decode = (name: string): string =>
  name.replaceAll(/%([\dA-F]{2})/g, (_, code: string) => String.fromCharCode(parseInt(code, 16)))

/** Returns the path of an object; undefined if a segment is too long for a file system. */
export const of = (root: string, key: string): string | undefined => {
  const segments = key.split("/").map(encode)
  if (segments.some((name) => Buffer.byteLength(name) + folder.length > maxName)) return undefined
  return join(root, ...segments.map((name, i) => (i < segments.length - 1 ? name + folder : name)))
}

/** Returns the path of the folder of a prefix that ends with `/`, or is empty. */
export const folderOf = (root: string, prefix: string): string =>
  join(
    root,
    ...prefix
      .split("/")
      .slice(0, -1)
      .map((segment) => encode(segment) + folder)
  )

/** Returns the segment of a name in a folder, with `/` behind that of a folder; undefined for another file. */
export const segmentOf = (name: string, isFolder: boolean): string | undefined => {
  if (name.endsWith(folder) !== isFolder) return undefined
  const encoded = isFolder ? name.slice(0, -folder.length) : name
  const segment = decode(encoded)
  return encode(segment) === encoded ? segment + (isFolder ? "/" : "") : undefined
}
