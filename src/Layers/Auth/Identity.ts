/** Identities and their typed attributes. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { CurrentIdentity, type Identity } from "../../Contract/Authentication.ts"
import * as OwnKeys from "../../Contract/OwnKeys.ts"

/** The fields of an identity. An absent field has the value that grants least. */
export interface IdentityInput {
  readonly attributes?: Readonly<Record<string, unknown>> | undefined
  /** Default: the subject. */
  readonly displayName?: string | undefined
  readonly isPrivileged?: boolean | undefined
  readonly isServiceAccount?: boolean | undefined
  readonly scopes?: Iterable<string> | undefined
  readonly subject: string
}

/**
 * Creates an identity. Its `method` is the name of the backend that answers with it.
 *
 * @example
 * ```ts
 * import * as Auth from "flange/Auth"
 *
 * const ada = Auth.identity({ scopes: ["orders:read"], subject: "ada" })
 * ada.displayName // => "ada"
 * ada.isPrivileged // => false
 * ```
 */
export const identity = (input: IdentityInput, method = "custom"): Identity => ({
  attributes: { ...input.attributes },
  displayName: input.displayName ?? input.subject,
  isPrivileged: input.isPrivileged ?? false,
  isServiceAccount: input.isServiceAccount ?? false,
  method,
  scopes: new Set(input.scopes),
  subject: input.subject
})

/**
 * The attributes of the caller, with the type of the schema. The backend that
 * made the identity puts them there (`attributes` of `Auth.jwt`); attributes that
 * do not have the shape are a defect of the app, so this dies.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import { CurrentIdentity } from "flange"
 * import * as Auth from "flange/Auth"
 *
 * const Tenant = Schema.Struct({ tenant: Schema.String })
 * const ada = Auth.identity({ attributes: { tenant: "acme" }, subject: "ada" })
 * const tenant = Effect.map(Auth.attributes(Tenant), (attributes) => attributes.tenant)
 * Effect.runSync(Effect.provideService(tenant, CurrentIdentity, ada)) // => "acme"
 * ```
 */
export const attributes = <A>(
  schema: Schema.Schema<A>
): Effect.Effect<A, never, CurrentIdentity> => {
  const decode = OwnKeys.decodeUnknownEffect(Schema.toType(schema))
  return Effect.flatMap(CurrentIdentity, ({ attributes }) => Effect.orDie(decode(attributes)))
}
