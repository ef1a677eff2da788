/** Secrets in mounted files: one file for each secret, whose name is that of the secret. */
import { constants } from "node:fs"
import { type FileHandle, open } from "node:fs/promises"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import { SecretNotFound, SecretUnavailable } from "../../Plugin/Secrets.ts"
import { maxBytes } from "./Provider.ts"

const absent: ReadonlySet<unknown> = new Set(["ENOENT", "ENOTDIR"])

const utf8 = new TextDecoder("utf-8", { fatal: true })

const decode = (bytes: Uint8Array): string | undefined => {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}

/** Returns the text of a file without the line break at its end, or why it cannot be a secret. */
const textOf = async (file: FileHandle): Promise<Redacted.Redacted | { readonly why: string }> => {
  const stat = await file.stat()
  if (!stat.isFile()) return { why: "it is no file" }
  // A file that grows while it is read cannot fill the memory.
  const buffer = Buffer.alloc(maxBytes + 1)
  const { bytesRead } = await file.read(buffer, 0, buffer.length, 0)
  if (bytesRead > maxBytes) return { why: `the file has more than ${maxBytes} bytes` }
  const text = decode(buffer.subarray(0, bytesRead))?.replace(/\r?\n$/, "")
  buffer.fill(0)
  if (text === undefined) return { why: "the file is not UTF-8 text" }
  return text === "" ? { why: "the file is empty" } : Redacted.make(text)
}

const readFile = async (path: string) => {
  // A pipe without a writer must not hold a thread of the pool.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    return await textOf(file)
  } finally {
    await file.close()
  }
}

/** Returns the function that reads a file of the directory each time. */
export const read = (directory: string) => {
  const where = `in the files of ${directory}`
  return Effect.fnUntraced(function* (name: string) {
    const path = join(directory, name)
    const found = yield* Effect.tryPromise({
      catch: (error) => {
        const code = hasProperty(error, "code") ? error.code : undefined
        return absent.has(code)
          ? new SecretNotFound({ name, remedy: `write it to the file ${path}`, where })
          : new SecretUnavailable({ name, reason: String(code ?? "an unknown error"), where })
      },
      try: () => readFile(path)
    })
    if (Redacted.isRedacted(found)) return found
    return yield* new SecretUnavailable({ name, reason: found.why, where })
  })
}
