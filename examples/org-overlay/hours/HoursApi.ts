/** The contract of the hours that a caller has worked. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { Authentication } from "flange/Contract"

export class HoursApi extends HttpApiGroup.make("hours")
  .add(
    HttpApiEndpoint.get("read", "/v1/hours", {
      success: Schema.Struct({ hours: Schema.Finite, subject: Schema.String })
    })
  )
  .middleware(Authentication.Default) {}
