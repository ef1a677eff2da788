/** The tenant of a caller, which authentication puts into the attributes of the identity. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Auth from "flange/Auth"

export const Tenant = Schema.String.check(Schema.isPattern(/^[a-z][a-z0-9-]{0,39}$/)).pipe(
  Schema.brand("Tenant")
)
export type Tenant = typeof Tenant.Type

/** Returns the tenant of the caller. Only protected routes know it. */
export const current = Effect.map(
  Auth.attributes(Schema.Struct({ tenant: Tenant })),
  ({ tenant }) => tenant
)
