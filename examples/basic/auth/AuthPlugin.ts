/** Authentication: the key of a user, in the header `X-Api-Key`. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Auth from "flange/Auth"
import { UsersRepo } from "../users/UsersRepo.ts"

export const AuthPlugin = Auth.plugin({
  default: Auth.chain([
    Auth.apiKey({
      validate: Effect.fnUntraced(function* (key) {
        const users = yield* UsersRepo
        const user = yield* users.findByKey(Auth.hashKey(key))
        return Option.map(user, ({ id, name }) => ({ displayName: name, subject: id }))
      })
    })
  ]),
  requires: [UsersRepo]
})
