/** The configuration of authentication. Secrets have no default here: see flange.toml. */
import * as Schema from "effect/Schema"
import { Config } from "flange"

export const AuthConfig = Config.section(
  "auth",
  {
    /** The key of the service account `fulfilment`. */
    apiKey: Config.Secret,
    audience: Schema.String.pipe(Config.withDefault("recipe-api")),
    issuer: Schema.String.pipe(Config.withDefault("recipe-api")),
    /** The secret with which the issuer signs tokens (HS256): 32 bytes or more. */
    jwtSecret: Config.Secret
  },
  { variables: { FULFILMENT_API_KEY: "apiKey", JWT_SECRET: "jwtSecret" } }
)
