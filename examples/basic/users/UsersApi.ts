/** The contract of the users: everybody may sign up. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { ApiError, Created } from "flange/Contract"
import { NewUser, UserDraft } from "./User.ts"

export class UserNameTaken extends ApiError.make<UserNameTaken>()(
  "UserNameTaken",
  { code: "USER_NAME_TAKEN", detail: ({ name }) => `The name ${name} is taken`, status: 409 },
  { name: Schema.String }
) {}

export class UsersApi extends HttpApiGroup.make("users").add(
  HttpApiEndpoint.post("create", "/v1/users", {
    error: UserNameTaken,
    payload: UserDraft,
    success: Created(NewUser)
  })
) {}
