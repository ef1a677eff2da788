/** The contract of the endpoints. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"

export const Message = Schema.Struct({ count: Schema.Int, message: Schema.String })

export class BenchApi extends HttpApiGroup.make("bench").add(
  // Decodes a body and encodes it again.
  HttpApiEndpoint.post("echo", "/bench/echo", { payload: Message, success: Message }),
  // Encodes a small value.
  HttpApiEndpoint.get("json", "/bench/json", { success: Message }),
  // An empty reply.
  HttpApiEndpoint.get("noop", "/bench/noop")
) {}
