/** The plugin of the files. */
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { ContentDisposition, Plugin, Route } from "flange"
import { Created } from "flange/Contract"
import * as Files from "flange/Files"
import * as ObjectStore from "flange/ObjectStore"
import { FileForm, FilesApi } from "./FilesApi.ts"
import { FilesRepo, keyOf } from "./FilesRepo.ts"

export const FilesPlugin = Plugin.make("app:files", {
  layer: FilesRepo.layer,
  provides: [FilesRepo],
  requires: [ObjectStore.ObjectStore],
  routes: [
    Route.public(
      FilesApi,
      Effect.fnUntraced(function* (handlers) {
        const files = yield* FilesRepo
        const toStore = Files.toStore({ remove: files.remove, write: files.add })
        return handlers.handleAll({
          add: Effect.fnUntraced(function* ({ payload }) {
            const { file } = yield* Files.receive(FileForm, payload, { file: toStore })
            return Created.at(`/v1/files/${file.id}`, file)
          }),
          list: () => files.list,
          read: Effect.fnUntraced(function* ({ params }) {
            const { name } = yield* files.read(params.id)
            const reply = yield* ObjectStore.toResponse(keyOf(params.id))
            const disposition = ContentDisposition.attachment(name)
            return HttpServerResponse.setHeader(reply, "content-disposition", disposition)
          })
        })
      })
    )
  ]
})
