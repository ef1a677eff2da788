/** Authentication: a token of the administrator. */
import * as Effect from "effect/Effect"
import { Config } from "flange"
import * as Auth from "flange/Auth"

export const AuthConfig = Config.section(
  "auth",
  { adminToken: Config.Secret },
  { variables: { ADMIN_TOKEN: "adminToken" } }
)

export const AuthPlugin = Auth.plugin({
  config: [AuthConfig],
  default: Auth.chain([
    Auth.bearer(
      Effect.map(AuthConfig, ({ adminToken }) => [
        { identity: { subject: "ada" }, token: adminToken }
      ])
    )
  ])
})
