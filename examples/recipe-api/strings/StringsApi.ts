/** The contract of the operations on text. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"

export class StringsApi extends HttpApiGroup.make("strings").add(
  HttpApiEndpoint.get("upper", "/v1/strings/upper", {
    query: { text: Schema.String },
    success: Schema.Struct({ original: Schema.String, upper: Schema.String })
  })
) {}
