/** Authentication: people send a token, and the service account `fulfilment` sends a key. */
import * as Effect from "effect/Effect"
import * as Auth from "flange/Auth"
import { AuthConfig } from "./AuthConfig.ts"

/** `Authorization: Bearer`; subject and scopes are claims of the token. */
const tokens = Auth.jwt(
  Effect.map(AuthConfig, ({ audience, issuer, jwtSecret }) => ({
    audience,
    issuer,
    keys: Auth.secret(jwtSecret)
  }))
)

/** `X-Api-Key`. The service account is privileged, so it sees all orders. */
const keys = Auth.apiKey({
  validate: Effect.map(AuthConfig, ({ apiKey }) =>
    Auth.keys([
      {
        identity: {
          isPrivileged: true,
          isServiceAccount: true,
          scopes: ["orders:write"],
          subject: "fulfilment"
        },
        key: apiKey
      }
    ])
  )
})

export const AuthPlugin = Auth.plugin({
  config: [AuthConfig],
  default: Auth.chain([tokens, keys], { realm: "recipe-api" })
})
