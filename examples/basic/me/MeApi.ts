/** The contract of `/v1/me`, which returns the user that calls. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import { Authentication } from "flange/Contract"
import { User } from "../users/User.ts"

export class MeApi extends HttpApiGroup.make("me")
  .add(HttpApiEndpoint.get("read", "/v1/me", { success: User }))
  // Clients created from the contract know the 401 because of it.
  .middleware(Authentication.Default) {}
