/** The plugin of the users: repository, migrations and handlers. */
import * as Effect from "effect/Effect"
import { SqlClient } from "effect/sql/SqlClient"
import { Plugin, Route } from "flange"
import { Created } from "flange/Contract"
import { UsersApi } from "./UsersApi.ts"
import { UsersRepo } from "./UsersRepo.ts"

const UsersRoutes = Route.public(UsersApi, (handlers) =>
  Effect.gen(function* () {
    const users = yield* UsersRepo
    return handlers.handleAll({
      create: Effect.fnUntraced(function* ({ payload }) {
        return Created.at("/v1/me", yield* users.create(payload))
      })
    })
  })
)

export const UsersPlugin = Plugin.make("app:users", {
  layer: UsersRepo.layer,
  migrations: new URL("../migrations", import.meta.url),
  provides: [UsersRepo],
  requires: [SqlClient],
  routes: [UsersRoutes]
})
