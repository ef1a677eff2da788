/** Authentication: each tenant has a key. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Config } from "flange"
import * as Auth from "flange/Auth"
import { Tenant } from "./Tenant.ts"

export const AuthConfig = Config.section(
  "auth",
  { tenantKeys: Schema.Record(Tenant, Config.Secret) },
  { variables: { AUTH_TENANT_KEYS: "tenantKeys" } }
)

export const AuthPlugin = Auth.plugin({
  config: [AuthConfig],
  default: Auth.chain([
    Auth.apiKey({
      validate: Effect.map(AuthConfig, ({ tenantKeys }) =>
        Auth.keys(
          Object.entries(tenantKeys).map(([tenant, key]) => ({
            identity: { attributes: { tenant }, isServiceAccount: true, subject: tenant },
            key
          }))
        )
      )
    })
  ])
})
