/** The plugin of the notes: repository, migrations and handlers. */
import * as Effect from "effect/Effect"
import { SqlClient } from "effect/sql/SqlClient"
import { Plugin, Route } from "flange"
import { Created } from "flange/Contract"
import * as Tenant from "../auth/Tenant.ts"
import { NotesApi } from "./NotesApi.ts"
import { NotesRepo } from "./NotesRepo.ts"

const NotesRoutes = Route.protected(NotesApi, (handlers) =>
  Effect.gen(function* () {
    const notes = yield* NotesRepo
    return handlers.handleAll({
      create: Effect.fnUntraced(function* ({ payload }) {
        const note = yield* notes.create(yield* Tenant.current, payload)
        return Created.at(`/v1/notes/${note.id}`, note)
      }),
      list: Effect.fnUntraced(function* ({ query }) {
        return yield* notes.list(yield* Tenant.current, query)
      }),
      read: Effect.fnUntraced(function* ({ params }) {
        return yield* notes.read(yield* Tenant.current, params.id)
      }),
      remove: Effect.fnUntraced(function* ({ params }) {
        yield* notes.remove(yield* Tenant.current, params.id)
      }),
      replace: Effect.fnUntraced(function* ({ params, payload }) {
        return yield* notes.replace(yield* Tenant.current, params.id, payload)
      })
    })
  })
)

export const NotesPlugin = Plugin.make("app:notes", {
  layer: NotesRepo.layer,
  migrations: new URL("../migrations", import.meta.url),
  provides: [NotesRepo],
  requires: [SqlClient],
  routes: [NotesRoutes]
})
