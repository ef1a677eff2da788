/** The repository of the users, on the table `users`. */
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import * as SqlSchema from "effect/sql/SqlSchema"
import * as Auth from "flange/Auth"
import * as Database from "flange/Database"
import { type NewUser, User, type UserDraft, UserId } from "./User.ts"
import { UserRow } from "./UserRow.ts"
import { UserNameTaken } from "./UsersApi.ts"

export class UsersRepo extends Context.Service<
  UsersRepo,
  {
    readonly create: (draft: UserDraft) => Effect.Effect<NewUser, UserNameTaken>
    readonly findByKey: (hash: string) => Effect.Effect<Option.Option<User>>
  }
>()("basic/UsersRepo") {
  static readonly layer = Layer.effect(
    UsersRepo,
    Effect.gen(function* () {
      const random = yield* SecureRandom.SecureRandom
      const sql = yield* SqlClient
      const users = yield* Database.table("users", { key: "id", row: UserRow })
      const findByKey = SqlSchema.findOneOption({
        execute: (hash) => sql`select id, name from users where key_hash = ${hash}`,
        Request: Schema.String,
        Result: User
      })

      return UsersRepo.of({
        create: Effect.fn("UsersRepo.create")(function* ({ name }) {
          const id = UserId.make(yield* random.uuidV7())
          const key = Base64Url.encode(yield* random.randomBytes(32))
          yield* users.insert({ id, keyHash: Auth.hashKey(Redacted.make(key)), name }).pipe(
            Effect.catchReason("SqlError", "UniqueViolation", () =>
              Effect.fail(new UserNameTaken({ name }))
            ),
            Effect.catchTag("SqlError", Effect.die)
          )
          return { id, key, name }
        }),
        findByKey: (hash) => Effect.orDie(findByKey(hash))
      })
    })
  ).pipe(Layer.provide(SecureRandom.layerWebCrypto))
}
