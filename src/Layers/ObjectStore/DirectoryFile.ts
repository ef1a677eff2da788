/**
 * The files of the backend in a directory: the content, then a JSON text about it, then its length and a mark.
 * Because one file has both, one rename replaces both, and no reader sees one without the other.
 */
import { constants } from "node:fs"
import { type FileHandle, open as openFile } from "node:fs/promises"
import * as Schema from "effect/Schema"
import type { ObjectInfo } from "./ObjectStore.ts"

const mark = Buffer.from("flangeO1")

const endLength = 4 + mark.length

/** The longest text about an object: metadata, and what comes with it. */
const maxText = 16_384

const About = Schema.Struct({
  contentType: Schema.String,
  etag: Schema.String,
  metadata: Schema.Record(Schema.String, Schema.String)
})

const decode = Schema.decodeUnknownSync(Schema.fromJsonString(About))

/** The file is not one that this store has written. */
export class NoObjectFile extends Error {}

/** Returns the code of a failure of the file system, such as `ENOENT`. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : undefined

/** Returns what is written behind the content. */
export const endOf = (about: typeof About.Type): Uint8Array => {
  const text = Buffer.from(JSON.stringify(about))
  const end = Buffer.alloc(endLength)
  end.writeUInt32BE(text.length)
  mark.copy(end, 4)
  return Buffer.concat([text, end])
}

const exactly = async (file: FileHandle, length: number, position: number): Promise<Buffer> => {
  const bytes = Buffer.alloc(length)
  let done = 0
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, position + done)
    if (bytesRead === 0) throw new NoObjectFile("the file ends too early")
    done += bytesRead
  }
  return bytes
}

/** Reads what a file has about its object. */
export const infoOf = async (file: FileHandle, key: string): Promise<ObjectInfo> => {
  const { mtime, size } = await file.stat()
  if (size < endLength) throw new NoObjectFile("the file is no object of this store")
  const end = await exactly(file, endLength, size - endLength)
  const length = end.readUInt32BE()
  const start = size - endLength - length
  if (!end.subarray(4).equals(mark) || length > maxText || start < 0) {
    throw new NoObjectFile("the file is no object of this store")
  }
  const about = decode((await exactly(file, length, start)).toString())
  return { ...about, key, lastModified: mtime, size: start }
}

/**
 * Opens a regular file for reading. A symbolic link fails with `ELOOP`; a pipe or a device does not make it
 * wait.
 */
export const open = async (path: string): Promise<FileHandle> => {
  const file = await openFile(
    path,
    constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  )
  if (!(await file.stat()).isFile()) {
    await file.close()
    throw new NoObjectFile("it is no regular file")
  }
  return file
}
