/** The contract of `/v1/me`, which returns the caller's identity. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { Authentication } from "flange/Contract"

export const Me = Schema.Struct({
  authMethod: Schema.String,
  isPrivileged: Schema.Boolean,
  isServiceAccount: Schema.Boolean,
  scopes: Schema.Array(Schema.String),
  subject: Schema.String
})

// Authentication is in the contract, so that clients created from it know the 401.
export class MeApi extends HttpApiGroup.make("me")
  .add(HttpApiEndpoint.get("read", "/v1/me", { success: Me }))
  .middleware(Authentication.Default) {}
