/** The contract of the files. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import { Created } from "flange/Contract"
import { Upload, uploadErrors } from "flange/Files/Contract"
import { readErrors, writeErrors } from "flange/ObjectStore/Contract"

export const StoredFile = Schema.Struct({
  contentType: Schema.String,
  id: Schema.String,
  name: Schema.String,
  size: Schema.Int
})

export type StoredFile = typeof StoredFile.Type

/** Text has no signature: it is taken if the client says so, and if it is no HTML or other known type. */
const types = [
  "application/pdf",
  "application/zip",
  "image/gif",
  "image/jpeg",
  "image/png",
  "image/webp",
  "text/markdown",
  "text/plain",
  "video/mp4"
]

export const FileForm = Upload.multipart({
  file: Upload.file({ maxBytes: 100 * 1024 * 1024, types })
})

const params = { id: Schema.String.check(Schema.isUUID()) }

export class FilesApi extends HttpApiGroup.make("files").add(
  HttpApiEndpoint.post("add", "/v1/files", {
    error: [...uploadErrors, ...writeErrors],
    payload: FileForm,
    success: Created(StoredFile)
  }),
  HttpApiEndpoint.get("list", "/v1/files", {
    error: readErrors,
    success: Schema.Array(StoredFile)
  }),
  HttpApiEndpoint.get("read", "/v1/files/:id", {
    error: readErrors,
    params,
    success: HttpApiSchema.StreamUint8Array()
  })
) {}
