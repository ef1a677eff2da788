/** The contract of the status page. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { ResponseCache } from "flange/Cache/Contract"

export const Status = Schema.Struct({ service: Schema.String, status: Schema.Literal("ok") })

export class StatusApi extends HttpApiGroup.make("status").add(
  HttpApiEndpoint.get("read", "/status", { success: Status }).annotate(
    ResponseCache,
    ResponseCache.public("10 seconds")
  )
) {}
