/** The contract of the visitors. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import { Limited, RatePolicy } from "flange/Contract"

export class VisitorsApi extends HttpApiGroup.make("visitors").add(
  HttpApiEndpoint.get("read", "/v1/visitor", {
    success: Schema.Struct({ ip: Schema.String, requestId: Schema.String })
  })
    .annotate(RatePolicy, { limit: 20, window: "1 minute" })
    .middleware(Limited),
  HttpApiEndpoint.get("ticks", "/v1/ticks", {
    success: HttpApiSchema.StreamNdjson({ schema: Schema.Struct({ tick: Schema.Int }) })
  })
) {}
