/** Authentication: each customer has a key, which is a secret that may change while the app runs. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Config } from "flange"
import * as Auth from "flange/Auth"
import * as Secrets from "flange/Secrets"

export const AuthConfig = Config.section("auth", {
  customers: Schema.Array(Schema.NonEmptyString).check(Schema.isMinLength(1))
})

export const AuthPlugin = Auth.plugin({
  config: [AuthConfig],
  default: Auth.chain([
    Auth.apiKey({
      validate: Effect.gen(function* () {
        const { customers } = yield* AuthConfig
        const secrets = yield* Secrets.Secrets
        return Auth.keys(
          customers.map((customer) => ({
            identity: { isServiceAccount: true, subject: customer },
            key: secrets.get(`orders/keys/${customer}`)
          }))
        )
      })
    })
  ]),
  requires: [Secrets.Secrets]
})
