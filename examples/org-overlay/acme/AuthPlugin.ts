/** Authentication of the organisation: tokens of its issuer. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Config } from "flange"
import * as Auth from "flange/Auth"

export const AuthConfig = Config.section(
  "acmeAuth",
  {
    audience: Schema.String.pipe(Config.withDefault("acme-services")),
    issuer: Schema.String.pipe(Config.withDefault("https://id.acme.example")),
    /** The secret with which the issuer signs tokens (HS256): 32 bytes or more. */
    jwtSecret: Config.Secret
  },
  { variables: { ACME_JWT_SECRET: "jwtSecret" } }
)

export const AuthPlugin = Auth.plugin({
  config: [AuthConfig],
  default: Auth.chain([
    Auth.jwt(
      Effect.map(AuthConfig, ({ audience, issuer, jwtSecret }) => ({
        audience,
        issuer,
        keys: Auth.secret(jwtSecret)
      }))
    )
  ])
})
