/** The files in the object store. */
import { randomUUID } from "node:crypto"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type * as Files from "flange/Files"
import type { UploadTooLarge } from "flange/Files/Contract"
import { type ObjectInfo, ObjectStore, type WriteFailure } from "flange/ObjectStore"
import type { StoredFile } from "./FilesApi.ts"

/** The keys of the files begin with it. */
const prefix = "files/"

/** The most files of a list. */
const maxListed = 100

export const keyOf = (id: string): string => prefix + id

/** Metadata is printable ASCII of at most 2 KiB, so a long name loses its start. */
const shortened = (name: string): string => name.slice(-100).toWellFormed()

const toFile = ({ contentType, key, metadata, size }: ObjectInfo): StoredFile => ({
  contentType,
  id: key.slice(prefix.length),
  name: decodeURIComponent(metadata["name"] ?? ""),
  size
})

type AddFailure = UploadTooLarge | WriteFailure

const make = Effect.map(ObjectStore, (store) => ({
  /** Stores a file under a new id, while it comes. */
  add: ({
    contentType,
    name,
    stream
  }: Files.IncomingFile): Effect.Effect<StoredFile, AddFailure> => {
    const id = randomUUID()
    const short = shortened(name)
    const metadata = { name: encodeURIComponent(short) }
    return Effect.map(store.put(keyOf(id), stream, { contentType, metadata }), (written) => ({
      contentType: written.contentType,
      id,
      name: short,
      size: written.size
    }))
  },
  list: store.list(prefix).pipe(
    Stream.take(maxListed),
    Stream.mapEffect(({ key }) => store.head(key), { concurrency: 8 }),
    Stream.map(toFile),
    Stream.runCollect
  ),
  read: (id: string) => Effect.map(store.head(keyOf(id)), toFile),
  remove: ({ id }: StoredFile) => store.delete(keyOf(id))
}))

export class FilesRepo extends Context.Service<FilesRepo, Effect.Success<typeof make>>()(
  "uploads/FilesRepo"
) {
  static readonly layer = Layer.effect(FilesRepo, make)
}
